/** Who was thought of, and the channel in which they are asked. */

import { withCandidate } from "./candidates";
import type { Reducers } from "./events";
import type { NegotiationState } from "./model";
import { advance } from "./phases";
import { count, type Json, numOrNull, records, roundLimit, str, strOrNull } from "./read";

type Group = "towow.filter.completed" | "towow.channel.created" | "towow.demand.broadcast";

export const FILTERING: Reducers<Group> = {
  "towow.filter.completed": (state, payload) => {
    const found = records(payload.candidates);
    const analysed = { ...state, analysis: str(payload.analysis), invited: count(payload.candidates_count) };
    return advance(found.reduce(candidate, analysed), "searching");
  },

  "towow.channel.created": (state, payload) =>
    advance(
      {
        ...state,
        invited: count(payload.participants_count, state.invited),
        maxRounds: roundLimit(payload.max_rounds, state.maxRounds),
      },
      "negotiating",
    ),

  "towow.demand.broadcast": (state, payload) =>
    advance(
      {
        ...state,
        invited: count(payload.recipients_count, state.invited),
        deadlineAt: strOrNull(payload.deadline_at),
      },
      "negotiating",
    ),
};

function candidate(state: NegotiationState, row: Json): NegotiationState {
  return withCandidate(state, str(row.agent_id), (before) => ({
    ...before,
    displayName: str(row.display_name, before.displayName),
    reason: str(row.reason),
    matchScore: numOrNull(row.match_score),
  }));
}
