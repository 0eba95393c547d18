/** What a row of the timeline shows: made once for each event and language, and found again by the event itself. */

import type { LogEvent } from "../../api/types";
import type { Lang, Texts } from "../../i18n";
import { clock } from "../../i18n/formats";
import { str } from "../../state/read";
import { detailsOf, shortened, titleOf } from "./detail";
import { type EventGroup, isDegraded, isFailed, type Kind, kindOf } from "./kinds";
import { record, words } from "./payload";

const MOST_SEARCHED = 8000;
const DEEPEST = 12;

export interface EventRow extends Kind {
  readonly event: LogEvent;
  readonly title: string;
  readonly details: readonly string[];
  readonly time: string;
  readonly agentId: string;
  readonly agentName: string;
  readonly failed: boolean;
  readonly degraded: boolean;
  /** Lower case: everything that the search looks at. */
  readonly searched: string;
}

const known: Record<Lang, WeakMap<LogEvent, EventRow>> = { zh: new WeakMap(), en: new WeakMap() };

/** The texts of a payload; one that nests deeper, or says more, is not searched to its end. */
function collect(value: unknown, found: string[], room: { left: number }, depth = 0): void {
  if (room.left <= 0 || depth > DEEPEST) return;
  if (typeof value === "string") {
    found.push(value.slice(0, room.left));
    room.left -= value.length;
  } else if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) collect(inner, found, room, depth + 1);
  }
}

function searched(event: LogEvent, shown: readonly string[]): string {
  const found = [...shown, event.event_type, event.event_id];
  collect(event.payload, found, { left: MOST_SEARCHED });
  return found.join("\n").toLowerCase();
}

function build(event: LogEvent, texts: Texts, lang: Lang): EventRow {
  const payload = record(event.payload);
  const title = titleOf(event.event_type, texts.timeline);
  const details = detailsOf(event, texts.timeline, lang);
  const agentId = words(payload, "agent_id");
  return {
    ...kindOf(event),
    event,
    title,
    details,
    time: Number.isNaN(Date.parse(event.timestamp))
      ? shortened(str(event.timestamp))
      : clock(event.timestamp, lang),
    agentId,
    agentName: shortened(words(payload, "display_name") || agentId),
    failed: isFailed(event),
    degraded: isDegraded(event),
    searched: searched(event, [title, ...details]),
  };
}

export function rowOf(event: LogEvent, texts: Texts, lang: Lang): EventRow {
  const before = known[lang].get(event);
  if (before) return before;
  const row = build(event, texts, lang);
  known[lang].set(event, row);
  return row;
}

export interface EventFilter {
  /** None: all of them. */
  readonly groups: ReadonlySet<EventGroup>;
  readonly agentId: string;
  readonly failedOnly: boolean;
  readonly text: string;
}

export const NO_FILTER: EventFilter = { groups: new Set(), agentId: "", failedOnly: false, text: "" };

export const isFiltering = (filter: EventFilter): boolean =>
  filter.groups.size > 0 || filter.agentId !== "" || filter.failedOnly || filter.text.trim() !== "";

/** A test of rows for this filter; words apart from each other must all occur. */
export function matcher(filter: EventFilter): (row: EventRow) => boolean {
  const wanted = filter.text.toLowerCase().split(/\s+/).filter(Boolean);
  return (row) =>
    (filter.groups.size === 0 || filter.groups.has(row.group)) &&
    (filter.agentId === "" || row.agentId === filter.agentId) &&
    (!filter.failedOnly || row.failed || row.degraded) &&
    wanted.every((word) => row.searched.includes(word));
}
