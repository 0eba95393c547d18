/** The state after any number of events of a recording; marks along the way make going back quick. */

import type { LogEvent } from "../api/types";
import { fold } from "./apply";
import { type NegotiationState, NOTHING } from "./model";

const MARK_EVERY = 100;

export type Seeker = (position: number) => NegotiationState;

export function createSeeker(events: readonly LogEvent[]): Seeker {
  /** The state after each further hundred of events, as far as somebody has been. */
  const marks: NegotiationState[] = [NOTHING];
  let last = { position: 0, state: NOTHING };

  return (position) => {
    const mark = Math.min(Math.floor(position / MARK_EVERY), marks.length - 1);
    const goesOn = last.position <= position && last.position >= mark * MARK_EVERY;
    let { position: at, state } = goesOn
      ? last
      : { position: mark * MARK_EVERY, state: marks[mark] ?? NOTHING };
    while (at < position) {
      const next = Math.min(position, (Math.floor(at / MARK_EVERY) + 1) * MARK_EVERY);
      state = fold(events.slice(at, next), state);
      at = next;
      if (at % MARK_EVERY === 0) marks[at / MARK_EVERY] = state;
    }
    last = { position, state };
    return state;
  };
}
