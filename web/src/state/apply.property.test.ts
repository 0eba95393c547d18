import fc from "fast-check";
import { expect, it } from "vitest";
import type { LogEvent } from "../api/types";
import { eventsOf, RUNS } from "../fixtures/runs";
import { apply, fold } from "./apply";
import { MOST_EVENTS, NOTHING } from "./model";

const samples = Object.keys(RUNS).flatMap((name) => eventsOf(name));
const types = [...new Set(samples.map((event) => event.event_type)), "towow.unknown", "", "constructor"];
const keys = [...new Set(samples.flatMap((event) => Object.keys(event.payload))), "__proto__"];
const words = fc.constantFrom(
  "accept",
  "compromise",
  "constructor",
  "__proto__",
  "user_agent_venue",
  "d-00000001",
);

const value = fc.oneof(fc.jsonValue({ maxDepth: 3 }), words, fc.double(), fc.constant(undefined));
const payload = fc.dictionary(fc.constantFrom(...keys), value, { noNullPrototype: true });

/** Real payloads in which single values were replaced. */
const mutated = fc
  .tuple(fc.constantFrom(...samples), fc.constantFrom(...keys), value)
  .map(([event, key, other]) => ({
    ...event,
    payload: { ...event.payload, [key]: other },
  }));
const invented = fc.record({
  event_type: fc.constantFrom(...types),
  timestamp: fc.oneof(fc.string(), fc.constant("2026-11-21T08:00:00Z")),
  payload,
});
const garbage = fc
  .array(fc.oneof(mutated, invented), { maxLength: 40 })
  .map((rows) => rows.map((row, seq): LogEvent => ({ ...row, event_id: `evt-00000001-${seq}` })));

/** Where a payload's own JSON is kept as it came. */
const RAW = ["events", "changes", "adjustment", "compromises"];

/** Whether a value holds only what its type promises: no hole, and no number that is none. */
function whole(item: unknown): boolean {
  if (item === undefined || (typeof item === "number" && !Number.isFinite(item))) return false;
  if (typeof item !== "object" || item === null) return true;
  return Object.entries(item).every(([key, inner]) => RAW.includes(key) || whole(inner));
}

it("survives whatever comes, and every field has its type", () => {
  fc.assert(
    fc.property(garbage, (events) => {
      const state = fold(events);
      expect(whole(state)).toBe(true);
      expect(state.events).toHaveLength(events.length);
      for (const id of state.candidateOrder) expect(Object.hasOwn(state.candidates, id)).toBe(true);
    }),
    { numRuns: 300 },
  );
});

it("survives what is no event at all", () => {
  fc.assert(
    fc.property(fc.anything(), (thing) => {
      const state = apply(NOTHING, thing as LogEvent);
      expect(state === NOTHING || state.events.length === 1).toBe(true);
    }),
  );
});

it("never empties the plans, and never goes back", () => {
  fc.assert(
    fc.property(garbage, (events) => {
      let before = NOTHING;
      for (const event of events) {
        const after = apply(before, event);
        expect(after.plans.slice(0, before.plans.length)).toEqual(before.plans);
        if (before.ending !== null) expect(after.ending).toBe(before.ending);
        expect(after.round).toBeGreaterThanOrEqual(before.round);
        before = after;
      }
    }),
  );
});

it("resumes with an overlap as if there had been no cut", () => {
  fc.assert(
    fc.property(garbage, fc.nat(40), fc.nat(10), (events, cut, overlap) => {
      const first = fold(events.slice(0, cut));
      expect(fold(events.slice(Math.max(0, cut - overlap)), first)).toEqual(fold(events));
    }),
  );
});

it("can be written down as JSON", () => {
  const json = fc.array(fc.record({ event_type: fc.constantFrom(...types), payload: fc.jsonValue() }), {
    maxLength: 30,
  });
  fc.assert(
    fc.property(json, (rows) => {
      const events = rows.map(
        (row, seq) => ({ ...row, event_id: `evt-00000001-${seq}`, timestamp: "" }) as LogEvent,
      );
      const state = fold(events);
      const text = JSON.stringify(state);
      expect(JSON.stringify(JSON.parse(text))).toBe(text);
    }),
  );
});

it("keeps at most a thousand events, however many come", () => {
  fc.assert(
    fc.property(fc.integer({ min: 900, max: 2500 }), (many) => {
      const events = Array.from({ length: many }, (_, seq) => ({
        event_id: `evt-00000001-${seq}`,
        event_type: types[seq % types.length] ?? "",
        timestamp: "2026-11-21T08:00:00Z",
        payload: { agent_id: `user_agent_${seq % 7}`, round: 1 },
      }));
      const state = fold(events);
      expect(state.events).toHaveLength(Math.min(many, MOST_EVENTS));
      expect(state.events.length + state.dropped).toBe(many);
    }),
    { numRuns: 20 },
  );
});
