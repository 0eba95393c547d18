import fc from "fast-check";
import { expect, it } from "vitest";
import type { LogEvent } from "../api/types";
import { fold } from "./apply";
import { MOST_CANDIDATES, MOST_ENTRIES, MOST_PLANS } from "./bounds";
import { MOST_ROUNDS } from "./read";
import { phasesOf } from "./timelinePhases";

const log = (...told: readonly (readonly [type: string, payload: object])[]): readonly LogEvent[] =>
  told.map(([type, payload], seq) => ({
    event_id: `evt-0000abcd-${seq}`,
    event_type: `towow.${type}`,
    timestamp: "2026-11-21T08:00:00Z",
    payload: { ...payload },
  }));
const many = <T>(length: number, make: (index: number) => T) => Array.from({ length }, (_, at) => make(at));

it("takes no number of an event for a number of things to show", () => {
  const odd = fc.oneof(
    fc.double(),
    fc.integer(),
    fc.maxSafeNat(),
    fc.constantFrom(20_000_000, 2 ** 53, Number.NaN, -1, 0, "3", null),
  );
  fc.assert(
    fc.property(odd, odd, odd, (round, limit, quantity) => {
      const numbers = { round, max_rounds: limit, participants: quantity, accepts: quantity };
      const assignments = [{ agent_id: "a", quantity, price: quantity }];
      const events = log(
        ["filter.completed", { candidates_count: quantity, candidates: [{ agent_id: "a" }] }],
        ["channel.created", { ...numbers, participants_count: quantity }],
        ["proposal.distributed", { ...numbers, proposal: { version: round, assignments } }],
        ["proposal.feedback", { ...numbers, agent_id: "a" }],
        ["feedback.evaluated", numbers],
        ["negotiation.round_started", numbers],
      );
      const state = fold(events);
      expect(state.maxRounds).toBeGreaterThanOrEqual(1);
      expect(state.maxRounds).toBeLessThanOrEqual(MOST_ROUNDS);
      expect(state.round).toBeLessThanOrEqual(MOST_ROUNDS);
      expect(state.rounds.length).toBeLessThanOrEqual(4);
      for (const phase of phasesOf(events)) expect(phase.length).toBeLessThanOrEqual("understanding".length);
    }),
  );
});

it("shows so many entries of a list and no more, and counts the others", () => {
  const plan = {
    assignments: many(300, (at) => ({ agent_id: `a${at}`, conditions: many(60, (n) => ({ text: `${n}` })) })),
    timeline: { milestones: many(150, (at) => ({ name: `${at}` })) },
  };
  const state = fold(
    log(
      ["filter.completed", { candidates: many(900, (at) => ({ agent_id: `a${at}` })) }],
      ["proposal.distributed", { round: 1, proposal: plan }],
    ),
  );
  expect(state.candidateOrder).toHaveLength(MOST_CANDIDATES);
  const [first] = state.plans;
  expect(first?.proposal.assignments).toHaveLength(200);
  expect(first?.proposal.assignments[0]?.conditions).toHaveLength(50);
  expect(first?.proposal.timeline.milestones).toHaveLength(100);
  expect(state.leftOut).toBe(400 + 100 + 200 * 10 + 50);
  expect(state.events[0]?.payload.candidates).toHaveLength(900);
});

it("lets nothing build up without end over many events", () => {
  const offers = many(MOST_CANDIDATES + 7, (at) => ["offer.submitted", { agent_id: `a${at}` }] as const);
  const plans = many(MOST_PLANS + 5, (at) => ["proposal.distributed", { round: at, proposal: {} }] as const);
  const said = many(MOST_ENTRIES + 3, () => ["proposal.feedback", { agent_id: "a1", round: 1 }] as const);
  const state = fold(log(...offers, ...plans, ...said));
  expect(state.candidateOrder).toHaveLength(MOST_CANDIDATES);
  expect(state.plans).toHaveLength(MOST_PLANS);
  expect(state.rounds.length).toBeLessThanOrEqual(MOST_ROUNDS + 1);
  expect(state.leftOut).toBe(7 + 5 + 3);
});
