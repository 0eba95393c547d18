/** Group, icon and colour of each type of event. */

import type { EventType, LogEvent } from "../../api/types";
import type { IconName } from "../../ui/Icon";
import { record, size, words } from "./payload";

export const GROUPS = ["demand", "search", "offers", "plan", "feedback", "gaps", "end", "other"] as const;
export type EventGroup = (typeof GROUPS)[number];
export type Tone = "neutral" | "accent" | "good" | "warn" | "bad" | "info";

export interface Kind {
  readonly group: EventGroup;
  readonly icon: IconName;
  readonly tone: Tone;
}

const KINDS: Readonly<Record<EventType, Kind>> = {
  "towow.demand.submitted": { group: "demand", icon: "edit", tone: "accent" },
  "towow.demand.understood": { group: "demand", icon: "info", tone: "info" },
  "towow.demand.confirmed": { group: "demand", icon: "check", tone: "info" },
  "towow.filter.completed": { group: "search", icon: "filter", tone: "info" },
  "towow.channel.created": { group: "search", icon: "layers", tone: "info" },
  "towow.demand.broadcast": { group: "search", icon: "send", tone: "info" },
  "towow.substitute.invited": { group: "search", icon: "people", tone: "warn" },
  "towow.offer.submitted": { group: "offers", icon: "person", tone: "neutral" },
  "towow.aggregation.started": { group: "offers", icon: "list", tone: "info" },
  "towow.proposal.distributed": { group: "plan", icon: "plan", tone: "accent" },
  "towow.negotiation.round_started": { group: "plan", icon: "refresh", tone: "info" },
  "towow.proposal.feedback": { group: "feedback", icon: "chat", tone: "neutral" },
  "towow.feedback.evaluated": { group: "feedback", icon: "scale", tone: "info" },
  "towow.negotiation.bargain": { group: "feedback", icon: "money", tone: "warn" },
  "towow.agent.withdrawn": { group: "feedback", icon: "ban", tone: "bad" },
  "towow.substitute.answered": { group: "feedback", icon: "people", tone: "neutral" },
  "towow.gap.identified": { group: "gaps", icon: "alert", tone: "warn" },
  "towow.subnet.triggered": { group: "gaps", icon: "branch", tone: "info" },
  "towow.subnet.completed": { group: "gaps", icon: "link", tone: "neutral" },
  "towow.proposal.finalized": { group: "end", icon: "flag", tone: "good" },
  "towow.negotiation.failed": { group: "end", icon: "cross", tone: "bad" },
};
const UNKNOWN: Kind = { group: "other", icon: "question", tone: "neutral" };

/** Where the colour depends on what was said: the key that says it, and the colour of each word. */
const BY_FEEDBACK = ["feedback_type", { accept: "good", negotiate: "warn", withdraw: "bad" }] as const;
const TONES: Readonly<Record<string, readonly [key: string, tones: Readonly<Record<string, Tone>>]>> = {
  "towow.offer.submitted": ["decision", { participate: "good", conditional: "warn", decline: "bad" }],
  "towow.proposal.feedback": BY_FEEDBACK,
  "towow.substitute.answered": BY_FEEDBACK,
  "towow.subnet.completed": ["outcome", { finalized: "good", failed: "bad", timeout: "bad" }],
};

function toneBy(event: LogEvent): Tone | undefined {
  const rule = Object.hasOwn(TONES, event.event_type) ? TONES[event.event_type] : undefined;
  if (!rule) return undefined;
  const word = words(record(event.payload), rule[0]);
  return Object.hasOwn(rule[1], word) ? rule[1][word] : undefined;
}

export function kindOf(event: LogEvent): Kind {
  const known = Object.hasOwn(KINDS, event.event_type) ? KINDS[event.event_type as EventType] : UNKNOWN;
  return { ...known, tone: toneBy(event) ?? known.tone };
}

/** Something did not work here: the end without a plan, a sub-negotiation without one, or answers that broke. */
export function isFailed(event: LogEvent): boolean {
  const payload = record(event.payload);
  if (event.event_type === "towow.negotiation.failed") return true;
  if (event.event_type === "towow.subnet.completed") return words(payload, "outcome") !== "finalized";
  return size(payload, "unknown") > 0 || size(payload, "error") > 0;
}

/** Rules stood in where a model was asked. */
export const isDegraded = (event: LogEvent): boolean => record(event.payload).degraded === true;
