/** Gathers what comes within one frame, so that a history of a hundred events is drawn once. */

import type { LogEvent } from "../api/types";

const FRAME_MS = 16;

export interface Batch {
  readonly add: (event: LogEvent) => void;
  /** Hand over now what has come. */
  readonly flush: () => void;
}

/** A timer and not an animation frame: those stop while the tab is hidden, and the title must go on. */
export function createBatch(deliver: (events: readonly LogEvent[]) => void): Batch {
  let waiting: LogEvent[] = [];
  let timer: ReturnType<typeof setTimeout> | null = null;

  const flush = () => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    const events = waiting;
    waiting = [];
    if (events.length > 0) deliver(events);
  };

  const add = (event: LogEvent) => {
    waiting.push(event);
    timer ??= setTimeout(flush, FRAME_MS);
  };

  return { add, flush };
}
