/** Folds the events of one negotiation into what the page shows: the same for live, resumed and replayed runs. */

import type { EventType, LogEvent } from "../api/types";
import { bounded } from "./bounds";
import { ENDING } from "./ending";
import { isLogEvent, placeOf, type Reducer, type Reducers } from "./events";
import { FILTERING } from "./filtering";
import { MOST_EVENTS, type NegotiationState, NOTHING } from "./model";
import { OFFERS } from "./offers";
import { flag, type Json, strOrNull } from "./read";
import { ROUNDS } from "./rounds";
import { SUBNETS } from "./subnets";
import { phaseAfter } from "./timelinePhases";
import { UNDERSTANDING } from "./understanding";

const REDUCERS: Reducers<EventType> = {
  ...UNDERSTANDING,
  ...FILTERING,
  ...OFFERS,
  ...ROUNDS,
  ...SUBNETS,
  ...ENDING,
};

/** The state after one more event. One that was seen, is older, or is of another negotiation changes nothing. */
export function apply(state: NegotiationState, event: LogEvent): NegotiationState {
  if (!isLogEvent(event) || !isNews(state, event.event_id)) return state;
  const told = note(state, event);
  return state.ending === null ? reduce(told, event) : told;
}

/** A whole log, or more of one. */
export function fold(events: readonly LogEvent[], from: NegotiationState = NOTHING): NegotiationState {
  return events.reduce(apply, from);
}

/** Whether the page knows what this type of event means. */
export function isKnown(type: string): type is EventType {
  return Object.hasOwn(REDUCERS, type);
}

function reduce(state: NegotiationState, event: LogEvent): NegotiationState {
  if (!isKnown(event.event_type)) return state;
  const reducer = REDUCERS[event.event_type] as Reducer<EventType>;
  const { payload, leftOut } = bounded(event.payload);
  return reducer({ ...state, leftOut: state.leftOut + leftOut }, payload, event);
}

/** Ids rise within a log; ids of another form can only be compared with those still in memory. */
function isNews(state: NegotiationState, id: string): boolean {
  if (state.lastEventId === null) return true;
  const last = placeOf(state.lastEventId);
  const next = placeOf(id);
  if (last && next) return last.run === next.run && next.seq > last.seq;
  return !state.events.some((event) => event.event_id === id);
}

/** What every event tells, whatever its type. */
function note(state: NegotiationState, event: LogEvent): NegotiationState {
  const { payload } = event;
  const leaving = Math.max(0, state.events.length + 1 - MOST_EVENTS);
  return {
    ...state,
    ...whose(state, payload),
    degraded: state.degraded || flag(payload.degraded),
    demo: state.demo || flag(payload.demo),
    events: [...state.events.slice(leaving), event],
    dropped: state.dropped + leaving,
    droppedPhase: state.events.slice(0, leaving).reduce(phaseAfter, state.droppedPhase),
    lastEventId: event.event_id,
    startedAt: state.startedAt ?? event.timestamp,
    updatedAt: event.timestamp,
  };
}

function whose(state: NegotiationState, payload: Json): Pick<NegotiationState, "demandId" | "channelId"> {
  return {
    demandId: state.demandId ?? strOrNull(payload.demand_id),
    channelId: state.channelId ?? strOrNull(payload.channel_id),
  };
}
