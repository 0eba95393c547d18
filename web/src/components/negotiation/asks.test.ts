import { expect, it } from "vitest";
import type { LogEvent } from "../../api/types";
import { fold } from "../../state/apply";
import { currentProposal } from "../plan/versions";
import { asksOf } from "./asks";
import { coverageOf } from "./coverage";

const HALL = { tag: "hall", concept: "venue" };
const told = (rows: readonly (readonly [type: string, payload: object])[]): readonly LogEvent[] =>
  rows.map(([type, payload], seq) => ({
    event_id: `evt-0000abcd-${seq}`,
    event_type: `towow.${type}`,
    timestamp: "2026-11-21T08:00:00Z",
    payload: { ...payload },
  }));

/** Somebody offers two roles for 100 and 300, and says something to the plan of round 1. */
function cellsAfter(id: string, answer: object, ...later: readonly (readonly [string, object])[]) {
  const terms = [
    { ...HALL, price: 100 },
    { tag: "food", concept: "food", price: 300 },
  ];
  const assignments = terms.map((term) => ({ ...term, agent_id: id, role: term.tag }));
  const events = told([
    ["demand.understood", { requirements: [], understanding: {} }],
    ["offer.submitted", { agent_id: id, decision: "participate", terms }],
    ["proposal.distributed", { round: 1, proposal: { assignments } }],
    ["proposal.feedback", { agent_id: id, round: 1, ...answer }],
    ...later,
  ]);
  const state = fold(events);
  const requirements = [{ ...HALL, importance: 80, count: 1, named: true }];
  const { candidates, candidateOrder: order, round } = state;
  const proposal = currentProposal(state.plans, state.ending);
  const asks = asksOf(state.rounds, state.plans);
  const { rows } = coverageOf({ requirements, candidates, order, proposal, closed: true, asks, round });
  return rows[0]?.cells[id];
}

const WANTS = { feedback_type: "negotiate", proposed_changes: { price: 6000 } };
const empty = { proposal: { assignments: [] }, round: 2 };

it("keeps the price of the plan, and tells what is asked for instead: each role's part of it", () => {
  expect(cellsAfter("a", WANTS)).toMatchObject({ kind: "plan", price: 100, asked: 1500 });
});

it("shows somebody outside the plan at the price that was asked for last", () => {
  const gone = cellsAfter("a", WANTS, ["proposal.distributed", empty]);
  expect(gone).toMatchObject({ kind: "offer", asked: 1500 });
});

it("tells no price where none was asked for, or another word came later", () => {
  const accepted = { agent_id: "a", round: 1, feedback_type: "accept" };
  expect(cellsAfter("a", { feedback_type: "accept" })).toMatchObject({ asked: null });
  expect(cellsAfter("a", { ...WANTS, proposed_changes: { price: "much" } })).toMatchObject({ asked: null });
  expect(cellsAfter("a", WANTS, ["proposal.feedback", accepted])).toMatchObject({ asked: null });
});

it.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("knows %s as a participant", (id) => {
  expect(cellsAfter(id, WANTS)).toMatchObject({ kind: "plan", price: 100, asked: 1500 });
});
