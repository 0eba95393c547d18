import fc from "fast-check";
import { expect, it } from "vitest";
import { fold } from "./apply";
import { createSeeker } from "./seek";

const EVENTS = Array.from({ length: 450 }, (_, number) => ({
  event_id: `evt-0000abcd-${number}`,
  event_type: number % 7 === 0 ? "towow.agent.withdrawn" : "towow.offer.submitted",
  timestamp: "2026-11-21T08:00:00Z",
  payload: { agent_id: `user_agent_${number % 9}`, display_name: "x", decision: "participate", reason: "y" },
}));

it("is at each position where a fold from the start is, whatever was seen before", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: EVENTS.length }), { maxLength: 8 }), (positions) => {
      const seek = createSeeker(EVENTS);
      for (const position of positions) expect(seek(position)).toEqual(fold(EVENTS.slice(0, position)));
    }),
    { numRuns: 20 },
  );
});
