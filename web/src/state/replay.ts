/** When which event of a recording is due. Pure: the clock belongs to the hook that plays it. */

import type { LogEvent } from "../api/types";
import type { Recording } from "./recording";

export { parseRecording, type Recording, type RecordingFault, recordingOf } from "./recording";

/** A longer pause is cut to this: somebody who slept does not stop the show. */
export const LONGEST_PAUSE_MS = 5000;
/** Each event is seen for so long at speed 1, however close it came: a run without people takes no time at all. */
export const SHORTEST_PAUSE_MS = 300;
/** One of several of the same type in a row, as offers come: what they change is one step to the eye. */
export const SHORTEST_IN_A_ROW_MS = 100;
export const SPEEDS = [0.5, 1, 2, 4, 8, 16] as const;

/** How many events are due after so many milliseconds of playing; the first is due at once. */
export function positionAt(recording: Recording, elapsedMs: number, speed: number): number {
  const shown = Math.max(0, elapsedMs) * Math.max(0, speed);
  const due = duesOf(recording);
  let low = 0;
  let high = due.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((due[middle] ?? 0) <= shown) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** After how many milliseconds at this speed so many events have come: the other way round. */
export function elapsedAt(recording: Recording, position: number, speed: number): number {
  const due = duesOf(recording);
  const last = Math.min(Math.max(0, Math.trunc(position)), due.length) - 1;
  return speed > 0 ? (due[last] ?? 0) / speed : 0;
}

/** How long it plays at speed 1. */
export function lengthOf(recording: Recording): number {
  return duesOf(recording).at(-1) ?? 0;
}

const known = new WeakMap<Recording, readonly number[]>();

/** When each event is due, in milliseconds of the recording with its pauses cut or drawn out. */
function duesOf(recording: Recording): readonly number[] {
  const before = known.get(recording);
  if (before) return before;
  const due = dues(recording.events);
  known.set(recording, due);
  return due;
}

function dues(events: readonly LogEvent[]): readonly number[] {
  let at = 0;
  return events.map((event, index) => {
    at += pause(events[index - 1], event);
    return at;
  });
}

/** Clocks may jump, and a foreign file may hold no time at all: then it is the shortest pause. */
function pause(before: LogEvent | undefined, event: LogEvent): number {
  if (!before) return 0;
  const shortest = before.event_type === event.event_type ? SHORTEST_IN_A_ROW_MS : SHORTEST_PAUSE_MS;
  const between = Date.parse(event.timestamp) - Date.parse(before.timestamp);
  return Number.isFinite(between) ? Math.min(Math.max(shortest, between), LONGEST_PAUSE_MS) : shortest;
}
