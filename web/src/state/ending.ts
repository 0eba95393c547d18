/** The two events that end a negotiation. The plans of the rounds stay, whatever the end says. */

import type { LogEvent } from "../api/types";
import { withCandidate } from "./candidates";
import type { Payload, Reducers } from "./events";
import type { Ending, NegotiationState, Phase } from "./model";
import { list, numOrNull, oneOrNull, record, str, strings, strOrNull } from "./read";
import { CONSENSUS, compromise, gap, proposal, spent } from "./shapes";

type Finalized = Payload<"towow.proposal.finalized">;
type Failed = Payload<"towow.negotiation.failed">;

export const ENDING: Reducers<"towow.proposal.finalized" | "towow.negotiation.failed"> = {
  "towow.proposal.finalized": (state, payload, event) => {
    const ending: Ending = {
      ...common(payload, event),
      kind: "finalized",
      consensus: oneOrNull(payload.consensus, CONSENSUS),
      label: str(payload.consensus_label),
      unconfirmed: strings(payload.unconfirmed),
      compromise: compromise(payload.compromise) ?? settledBy(payload.final_proposal),
      proposal: proposal(payload.final_proposal),
      roundsTaken: numOrNull(payload.rounds_taken),
    };
    return ended(state, ending, worthOf(ending));
  },

  "towow.negotiation.failed": (state, payload, event) => {
    const ending: Ending = {
      ...common(payload, event),
      kind: "failed",
      compromise: compromise(payload.compromise),
      proposal: proposal(payload.last_proposal),
      reason: strOrNull(payload.reason),
      message: str(payload.message),
      code: strOrNull(payload.code),
    };
    const known = ending.reason === "no_answer" ? withSilence(state) : state;
    return ended(known, ending, ending.reason === "cancelled" ? "cancelled" : "failed");
  },
};

function common(payload: Finalized | Failed, event: LogEvent): Omit<Ending, "kind" | "proposal"> {
  return {
    consensus: null,
    label: "",
    unconfirmed: [],
    gaps: list(payload.gaps).map(gap),
    suggestions: strings(payload.suggestions),
    compromise: null,
    reason: null,
    message: "",
    code: null,
    roundsTaken: null,
    degradedSteps: strings(payload.degraded_steps),
    usage: spent(payload.usage),
    at: event.timestamp,
  };
}

/** A plan that prompt 9 settled carries the compromise itself. */
function settledBy(plan: unknown): Ending["compromise"] {
  return record(plan).type === "compromise" ? compromise(plan) : null;
}

/** What a plan is worth: a compromise lacks something; else the consensus was full or in part, as the node counts. */
export function worthOf(ending: Ending): "success" | "partial" | "compromise" {
  const lacking = ending.gaps.length > 0 || (ending.compromise?.unresolved.length ?? 0) > 0;
  if (ending.compromise !== null && lacking) return "compromise";
  return ending.consensus === "partial" ? "partial" : "success";
}

/** Where nobody answered there is no event that names the silent ones: they are all who were asked. */
function withSilence(state: NegotiationState): NegotiationState {
  const waiting = state.candidateOrder.filter((id) => state.candidates[id]?.status === "invited");
  return waiting.reduce(
    (so, id) => withCandidate(so, id, (before) => ({ ...before, status: "silent" })),
    state,
  );
}

/** Gaps that were closed in the meantime are none any more; an end that tells none of gaps leaves them. */
function ended(state: NegotiationState, ending: Ending, phase: Phase): NegotiationState {
  const gaps = ending.kind === "finalized" || ending.gaps.length > 0 ? ending.gaps : state.gaps;
  return { ...state, ending, gaps, phase, deadlineAt: null };
}
