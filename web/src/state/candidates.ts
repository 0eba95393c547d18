/** The candidates by id, in the order in which they turned up. */

import { MOST_CANDIDATES } from "./bounds";
import type { CandidateState, NegotiationState } from "./model";
import { withEntry } from "./read";

const PERSON = "person_";

/** The state with one candidate changed; somebody who was not known before joins the list. */
export function withCandidate(
  state: NegotiationState,
  id: string,
  change: (before: CandidateState) => CandidateState,
): NegotiationState {
  if (id === "") return state;
  const known = state.candidates[id];
  const full = state.candidateOrder.length >= MOST_CANDIDATES;
  if (!known && full) return { ...state, leftOut: state.leftOut + 1 };
  const candidates = withEntry(state.candidates, id, change(known ?? newcomer(id)));
  return known
    ? { ...state, candidates }
    : { ...state, candidates, candidateOrder: [...state.candidateOrder, id] };
}

function newcomer(id: string): CandidateState {
  return {
    agentId: id,
    displayName: id,
    person: id.startsWith(PERSON),
    reason: "",
    matchScore: null,
    status: "invited",
    contribution: "",
    reasoning: "",
    conditions: [],
    declineReason: "",
    withdrawReason: "",
    terms: [],
    source: null,
    degraded: false,
    substituteIn: null,
    fault: null,
  };
}
