/** One answer to a plan, and the parts of a round's feedback bar. */

import type { LogEvent } from "../api/types";
import type { Payload } from "./events";
import type { FeedbackState, RoundState, Tally } from "./model";
import { flag, oneOf, record, roundNumber, str } from "./read";

type Answer = Payload<"towow.proposal.feedback">;

export function feedback(payload: Answer, event: LogEvent, round: number): FeedbackState {
  const id = str(payload.agent_id);
  return {
    eventId: event.event_id,
    agentId: id,
    displayName: str(payload.display_name) || id,
    kind: oneOf(payload.feedback_type, ["accept", "negotiate", "withdraw"], "negotiate"),
    byDefault: flag(payload.by_default),
    round: roundNumber(payload.round, round),
    reasoning: str(payload.reasoning),
    request: str(payload.adjustment_request),
    changes: record(payload.proposed_changes),
    at: event.timestamp,
  };
}

/** The node's count of a round or, until it has counted, what the answers so far add up to. */
export function tallyOf(round: RoundState): Tally {
  if (round.tally !== null) return round.tally;
  const given = round.feedback;
  const accepts = given.filter((item) => item.kind === "accept");
  return {
    explicit: accepts.filter((item) => !item.byDefault).length,
    byDefault: accepts.filter((item) => item.byDefault).length,
    negotiate: given.filter((item) => item.kind === "negotiate").length,
    withdraw: given.filter((item) => item.kind === "withdraw").length,
    silent: 0,
    participants: null,
    acceptRate: null,
  };
}
