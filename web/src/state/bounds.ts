/** How much of a foreign payload is looked at: what becomes rows of the page must not be without end. */

import { isRecord, type Json } from "./read";

/** The entries of a list, by the key under which it stands. */
const MOST: Readonly<Record<string, number>> = {
  candidates: 500,
  assignments: 200,
  milestones: 100,
  gaps: 100,
  conditions: 50,
  requirements: 50,
  terms: 50,
};
export const MOST_ENTRIES = 500;

/** What builds up over many events. */
export const MOST_CANDIDATES = 500;
export const MOST_PLANS = 50;
export const MOST_ANSWERS = 500;
export const MOST_SUBS = 50;
export const MOST_CONDITIONS = 50;

export interface Bounded {
  readonly payload: Json;
  /** How many entries are too many; the raw event has them all. */
  readonly leftOut: number;
}

/** The payload with its lists cut to a size that can be shown. It nests no deeper than an event may. */
export function bounded(payload: Json): Bounded {
  const left = { out: 0 };
  return { payload: cutRecord(payload, left) as Json, leftOut: left.out };
}

function cutValue(key: string, value: unknown, left: { out: number }): unknown {
  if (Array.isArray(value)) return cutList(value, Object.hasOwn(MOST, key) ? MOST[key] : MOST_ENTRIES, left);
  return isRecord(value) ? cutRecord(value, left) : value;
}

function cutList(items: readonly unknown[], most = MOST_ENTRIES, left: { out: number }): unknown {
  left.out += Math.max(0, items.length - most);
  return items.slice(0, most).map((item) => cutValue("", item, left));
}

function cutRecord(fields: Json, left: { out: number }): unknown {
  const entries = Object.entries(fields);
  left.out += Math.max(0, entries.length - MOST_ENTRIES);
  const kept = entries.slice(0, MOST_ENTRIES).map(([key, value]) => [key, cutValue(key, value, left)]);
  return Object.fromEntries(kept);
}
