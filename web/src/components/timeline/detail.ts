/** One line for each type of event, made from its payload. */

import type { EventType, LogEvent } from "../../api/types";
import type { Lang, Texts } from "../../i18n";
import { listed } from "../../i18n/formats";
import { clauses } from "../../i18n/joins";
import { str, strings } from "../../state/read";
import { deadline, name, names, number, type Part, plan, some } from "./parts";
import { count, items, labelled, type Payload, record, size, texts, words } from "./payload";

const MOST_WORDS = 160;
const MOST_PARTS = 20;

type Detail = (payload: Payload, t: Texts["timeline"], lang: Lang) => readonly Part[];

const understood: Detail = (p, t, lang) => [
  words(p, "surface_demand"),
  listed(texts(p, "capability_tags"), lang),
  labelled(t.confidence, words(p, "confidence")),
  some(items(p, "uncertainties").length, t.unclear),
  p.awaiting_confirmation === true && t.awaiting,
];

const offer: Detail = (p, t, lang) => [
  name(p),
  labelled(t.decisions, words(p, "decision")),
  words(p, words(p, "decision") === "decline" ? "decline_reason" : "contribution"),
  clauses(texts(p, "conditions"), lang),
];

const answer: Detail = (p, t) => [
  name(p),
  labelled(t.feedbacks, words(p, "feedback_type")),
  p.by_default === true && t.byDefault,
  words(p, "adjustment_request") || words(p, "reasoning"),
];

const evaluated: Detail = (p, t) => [
  t.counts(count(p, "accepts") ?? 0, count(p, "negotiates") ?? 0, count(p, "rejects") ?? 0),
  some(count(p, "defaults") ?? 0, t.defaults),
  some(count(p, "silent") ?? 0, t.silent),
  number(p, "accept_rate", (rate) => t.rate(Math.round(rate * 100))),
];

const DETAILS: Readonly<Record<EventType, Detail>> = {
  "towow.demand.submitted": (p) => [words(p, "raw_input"), words(p, "requester_id")],
  "towow.demand.understood": understood,
  "towow.demand.confirmed": (p, t, lang) => {
    const edited = listed(texts(p, "edited"), lang);
    return [edited ? t.edited(edited) : t.unedited];
  },
  "towow.filter.completed": (p, t, lang) => [
    number(p, "candidates_count", t.candidates),
    names(p, "candidates", lang),
  ],
  "towow.channel.created": (p, t) => [
    number(p, "participants_count", t.participants),
    number(p, "max_rounds", t.maxRounds),
    (count(p, "depth") ?? 0) > 0 && t.sub,
  ],
  "towow.demand.broadcast": (p, t, lang) => [number(p, "recipients_count", t.invited), deadline(p, t, lang)],
  "towow.offer.submitted": offer,
  "towow.aggregation.started": (p, t) => [
    number(p, "offers_count", t.offers),
    some(size(p, "silent"), t.silent),
    some(size(p, "unknown"), t.unknown),
  ],
  "towow.proposal.distributed": (p, t, lang) => [...plan(record(p.proposal), t, lang), deadline(p, t, lang)],
  "towow.proposal.feedback": answer,
  "towow.feedback.evaluated": evaluated,
  "towow.negotiation.round_started": (p, t) => [
    t.roundOf(count(p, "round") ?? 0, count(p, "max_rounds") ?? 0),
  ],
  "towow.negotiation.bargain": (p, t) => [name(p), t.bargains(words(p, "bargain_type"), words(p, "content"))],
  "towow.proposal.finalized": (p, t, lang) => [
    words(p, "consensus_label") || labelled(t.consensus, words(p, "consensus")),
    ...plan(record(p.final_proposal), t, lang),
    number(p, "rounds_taken", t.rounds),
    some(size(p, "unconfirmed"), t.unconfirmed),
    some(size(p, "gaps"), t.gaps),
  ],
  "towow.negotiation.failed": (p, _, lang) => [
    words(p, "message") || words(p, "reason"),
    words(p, "code"),
    clauses(texts(p, "suggestions"), lang),
  ],
  "towow.agent.withdrawn": (p) => [name(p), words(p, "reason")],
  "towow.gap.identified": (p, t, lang) => [
    t.gaps(items(p, "gaps").length),
    listed(
      items(p, "gaps")
        .map((gap) => words(record(gap), "gap_type"))
        .filter(Boolean),
      lang,
    ),
  ],
  "towow.subnet.triggered": (p, t) => [t.forGap(words(p, "gap_type")), words(p, "sub_demand_id")],
  "towow.subnet.completed": (p, t, lang) => [
    labelled(t.outcomes, words(p, "outcome")),
    names(record(p.proposal), "assignments", lang),
    words(p, "sub_demand_id"),
  ],
  "towow.substitute.invited": (p) => [name(p), words(p, "reason")],
  "towow.substitute.answered": answer,
};

const isKnown = (type: string): type is EventType => Object.hasOwn(DETAILS, type);

export function shortened(text: string): string {
  const line = text.replace(/\s+/g, " ");
  return line.length > MOST_WORDS ? `${line.slice(0, MOST_WORDS - 1).trimEnd()}…` : line;
}

/** A type that this page does not know says what the words of its payload are. */
const unknown = (payload: Payload): readonly Part[] => strings(Object.values(payload)).slice(0, MOST_PARTS);

/** The parts of the one-line detail of an event; never throws, whatever the payload holds. */
export function detailsOf(event: LogEvent, t: Texts["timeline"], lang: Lang): readonly string[] {
  const payload = record(event.payload);
  const parts = isKnown(event.event_type) ? DETAILS[event.event_type](payload, t, lang) : unknown(payload);
  return parts.filter((part): part is string => Boolean(part)).map(shortened);
}

/** What the event is called; one of an unknown type by its raw name. */
export const titleOf = (type: string, t: Texts["timeline"]): string =>
  isKnown(type) ? t.types[type] : t.unknownType(shortened(str(type)));
