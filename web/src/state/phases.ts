/** A negotiation only ever moves forward; an event that comes late does not take it back. */

import type { NegotiationState, Phase } from "./model";

const ORDER: readonly Phase[] = ["empty", "understanding", "waiting", "searching", "negotiating"];

export function advance(state: NegotiationState, to: Phase): NegotiationState {
  return ORDER.indexOf(to) > ORDER.indexOf(state.phase) ? { ...state, phase: to } : state;
}
