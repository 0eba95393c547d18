/** What was asked for, and how the node and its requester understand it. */

import type { Reducers } from "./events";
import type { NegotiationState } from "./model";
import { advance } from "./phases";
import { flag, str, strings } from "./read";
import { understanding } from "./shapes";

type Group = "towow.demand.submitted" | "towow.demand.understood" | "towow.demand.confirmed";

export const UNDERSTANDING: Reducers<Group> = {
  "towow.demand.submitted": (state, payload) =>
    advance(
      { ...state, rawInput: str(payload.raw_input), requesterId: str(payload.requester_id) },
      "understanding",
    ),

  "towow.demand.understood": (state, payload) =>
    advance(understood(state, payload), flag(payload.awaiting_confirmation) ? "waiting" : "searching"),

  "towow.demand.confirmed": (state, payload) =>
    advance({ ...understood(state, payload.understanding), edited: strings(payload.edited) }, "searching"),
};

function understood(state: NegotiationState, value: unknown): NegotiationState {
  const found = understanding(value);
  return { ...state, understanding: found, requirements: found.requirements, constraints: found.constraints };
}
