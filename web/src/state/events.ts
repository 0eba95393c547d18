/** The events of a negotiation by type, and what of a foreign value is an event at all. */

import type { EventPayloads, EventType, LogEvent } from "../api/types";
import type { NegotiationState } from "./model";
import { isDeeper, isRecord, type Loose } from "./read";

/** Every event that this page knows, with the payload of its type. */
export type NegotiationEvent = {
  readonly [T in EventType]: Omit<LogEvent, "event_type" | "payload"> & {
    readonly event_type: T;
    readonly payload: EventPayloads[T];
  };
}[EventType];

/** A payload as it arrived: the keys are the node's, the values are looked at before they are used. */
export type Payload<T extends EventType> = Loose<EventPayloads[T]>;

export type Reducer<T extends EventType> = (
  state: NegotiationState,
  payload: Payload<T>,
  event: LogEvent,
) => NegotiationState;

/** The reducers of a group of events. */
export type Reducers<T extends EventType> = { readonly [K in T]: Reducer<K> };

export const FINALIZED = "towow.proposal.finalized";
export const FAILED = "towow.negotiation.failed";

export function isTerminal(event: LogEvent): boolean {
  return event.event_type === FINALIZED || event.event_type === FAILED;
}

/** A payload that nests deeper is no payload: whoever reads or shows it would run out of stack. */
export const MOST_DEPTH = 64;

export function isLogEvent(value: unknown): value is LogEvent {
  return isEventShaped(value) && !isTooDeep(value);
}

export function isTooDeep(event: LogEvent): boolean {
  return isDeeper(event, MOST_DEPTH + 1);
}

/** An event by its own fields, whatever its payload holds. */
export function isEventShaped(value: unknown): value is LogEvent {
  if (!isRecord(value)) return false;
  const { event_id, event_type, timestamp, payload } = value;
  const named = typeof event_id === "string" && event_id !== "" && typeof event_type === "string";
  return named && typeof timestamp === "string" && isRecord(payload);
}

/** An event from the text of a frame; null for anything else. */
export function parseEvent(text: string): LogEvent | null {
  try {
    const value: unknown = JSON.parse(text);
    return isLogEvent(value) ? value : null;
  } catch {
    return null;
  }
}

const EVENT_ID = /^evt-([0-9a-f]{8})-(\d{1,15})$/;

export interface Place {
  readonly run: string;
  readonly seq: number;
}

/** Where in which log an event stands; null for an id of another form. */
export function placeOf(eventId: string): Place | null {
  const [, run, seq] = EVENT_ID.exec(eventId) ?? [];
  return run !== undefined && seq !== undefined ? { run, seq: Number(seq) } : null;
}
