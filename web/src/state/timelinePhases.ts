/** Cuts the events into the phases of the negotiation, in the order in which they happened. */

import type { LogEvent } from "../api/types";
import { record, roundNumber } from "./read";

export type PhaseName = "understanding" | "search" | "offers" | "gaps" | "end" | "other";
export type TimelinePhase = PhaseName | `round-${number}`;

const FIXED: Readonly<Record<string, PhaseName>> = {
  "towow.demand.submitted": "understanding",
  "towow.demand.understood": "understanding",
  "towow.demand.confirmed": "understanding",
  "towow.filter.completed": "search",
  "towow.channel.created": "search",
  "towow.demand.broadcast": "search",
  "towow.gap.identified": "gaps",
  "towow.subnet.triggered": "gaps",
  "towow.subnet.completed": "gaps",
  "towow.proposal.finalized": "end",
  "towow.negotiation.failed": "end",
};
const OF_A_ROUND: ReadonlySet<string> = new Set([
  "towow.proposal.distributed",
  "towow.proposal.feedback",
  "towow.feedback.evaluated",
  "towow.negotiation.round_started",
  "towow.negotiation.bargain",
  "towow.agent.withdrawn",
  "towow.substitute.invited",
  "towow.substitute.answered",
]);
const OF_OFFERS: ReadonlySet<string> = new Set(["towow.offer.submitted", "towow.aggregation.started"]);

/** The phase of an event that follows one of `current`; what says nothing of itself stays where it is. */
export function phaseAfter(current: TimelinePhase, event: LogEvent): TimelinePhase {
  const type = event.event_type;
  const fixed = Object.hasOwn(FIXED, type) ? FIXED[type] : undefined;
  if (fixed) return fixed;
  if (OF_A_ROUND.has(type)) {
    const round = roundNumber(record(event.payload).round);
    return round > 0 ? `round-${round}` : current;
  }
  // The offer of a substitute comes within a round.
  return OF_OFFERS.has(type) && !current.startsWith("round-") ? "offers" : current;
}

/** The phase of each event; `before` is that of the event which came before the first of them. */
export function phasesOf(
  events: readonly LogEvent[],
  before: TimelinePhase = "other",
): readonly TimelinePhase[] {
  let current = before;
  return events.map((event) => {
    current = phaseAfter(current, event);
    return current;
  });
}
