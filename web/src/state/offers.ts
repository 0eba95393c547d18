/** What everybody who was asked answers, until the offers are closed. */

import { withCandidate } from "./candidates";
import type { Reducers } from "./events";
import type { CandidateState, NegotiationState } from "./model";
import { advance } from "./phases";
import { flag, list, oneOf, record, str, strings, strOrNull } from "./read";
import { term } from "./shapes";

type Group = "towow.offer.submitted" | "towow.aggregation.started";

const DECISIONS = ["participate", "conditional", "decline", "invited"] as const;

export const OFFERS: Reducers<Group> = {
  "towow.offer.submitted": (state, payload) =>
    withCandidate(advance(state, "negotiating"), str(payload.agent_id), (before) => ({
      ...before,
      displayName: str(payload.display_name, before.displayName),
      status: oneOf(payload.decision, DECISIONS, "invited"),
      contribution: str(payload.contribution),
      reasoning: str(payload.reasoning),
      conditions: strings(payload.conditions).map((text) => ({ text, status: "open", reason: "" })),
      declineReason: str(payload.decline_reason),
      terms: list(payload.terms).map(term),
      source: strOrNull(payload.source),
      degraded: flag(payload.degraded),
    })),

  "towow.aggregation.started": (state, payload) => {
    const closed: NegotiationState = {
      ...advance(state, "negotiating"),
      offersClosed: true,
      deadlineAt: null,
    };
    const quiet = strings(payload.silent).reduce((so, id) => unanswered(so, id, "silent", null), closed);
    const lost = Object.entries(record(payload.unknown));
    return lost.reduce((so, [id, code]) => unanswered(so, id, "unknown", strOrNull(code)), quiet);
  },
};

function unanswered(
  state: NegotiationState,
  id: string,
  status: "silent" | "unknown",
  fault: string | null,
): NegotiationState {
  const mark = (before: CandidateState): CandidateState => ({ ...before, status, fault });
  return withCandidate(state, str(id), mark);
}
