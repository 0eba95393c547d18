/** A negotiation as a file: what is downloaded, and what may be imported again. */

import { Problem } from "../api/problem";
import type { LogEvent } from "../api/types";
import { isEventShaped, isTooDeep } from "./events";
import { isRecord, list, str } from "./read";

export interface Recording {
  readonly format: "moothall-events";
  readonly version: 1;
  readonly demand_id: string;
  readonly raw_input: string;
  readonly exported_at: string;
  readonly events: readonly LogEvent[];
}

export const MOST_BYTES = 20 * 1024 * 1024;
export const MOST_RECORDED = 50_000;

/** Why a file is no recording; each has a text of its own. */
export type RecordingFault =
  | "RECORDING_TOO_LARGE"
  | "RECORDING_NO_JSON"
  | "RECORDING_OTHER_FORMAT"
  | "RECORDING_BAD_EVENT"
  | "RECORDING_TOO_DEEP"
  | "RECORDING_TOO_MANY"
  | "RECORDING_EMPTY";

export function recordingOf(
  demandId: string,
  rawInput: string,
  events: readonly LogEvent[],
  exportedAt: Date,
): Recording {
  return {
    format: "moothall-events",
    version: 1,
    demand_id: demandId,
    raw_input: rawInput,
    exported_at: exportedAt.toISOString(),
    events,
  };
}

/** The recording in a file's text, or what is wrong with it. Each event is kept once. */
export function parseRecording(text: string): Recording | Problem {
  if (text.length > MOST_BYTES || new Blob([text]).size > MOST_BYTES) return fault("RECORDING_TOO_LARGE");
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fault("RECORDING_NO_JSON");
  }
  if (!isRecord(value) || value.format !== "moothall-events" || value.version !== 1) {
    return fault("RECORDING_OTHER_FORMAT");
  }
  const events = list(value.events);
  if (events.length === 0) return fault("RECORDING_EMPTY");
  if (events.length > MOST_RECORDED) return fault("RECORDING_TOO_MANY");
  if (!events.every(isEventShaped)) return fault("RECORDING_BAD_EVENT");
  if (events.some(isTooDeep)) return fault("RECORDING_TOO_DEEP");
  return {
    format: "moothall-events",
    version: 1,
    demand_id: str(value.demand_id),
    raw_input: str(value.raw_input),
    exported_at: str(value.exported_at),
    events: once(events),
  };
}

function once(events: readonly LogEvent[]): readonly LogEvent[] {
  return [...new Map(events.map((event) => [event.event_id, event])).values()];
}

function fault(code: RecordingFault): Problem {
  return new Problem({ code });
}
