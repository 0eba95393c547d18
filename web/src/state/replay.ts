/** When which event of a recording is due. Pure: the clock belongs to the hook that plays it. */

import type { LogEvent } from "../api/types";
import type { Recording } from "./recording";

export { parseRecording, type Recording, type RecordingFault, recordingOf } from "./recording";

/** A longer pause is cut to this: somebody who slept does not stop the show. */
export const LONGEST_PAUSE_MS = 5000;
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

/** When each event is due, in milliseconds of the recording with its pauses cut. */
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

/** Clocks may jump, and a foreign file may hold no time at all: then there is no pause. */
function pause(before: LogEvent | undefined, event: LogEvent): number {
  const between = before ? Date.parse(event.timestamp) - Date.parse(before.timestamp) : 0;
  return Number.isFinite(between) ? Math.min(Math.max(0, between), LONGEST_PAUSE_MS) : 0;
}
