import { describe, expect, it } from "vitest";
import { eventsOf, RUNS, run } from "../../fixtures/runs";
import { fold } from "../../state/apply";
import { currentProposal } from "../plan/versions";
import { coverageOf } from "./coverage";
import { countsOf, rowsOf, sectionsOf } from "./standing";
import { totalsOf } from "./stepTotals";
import { sharesOf } from "./tally";

function read(name: string) {
  const state = fold(eventsOf(name));
  return { state, proposal: currentProposal(state.plans, state.ending) };
}

function rows(name: string) {
  const { state, proposal } = read(name);
  const { candidates, candidateOrder: order } = state;
  return rowsOf({ candidates, order, proposal, seats: run(name).seats });
}

describe("where candidates stand", () => {
  it.each(Object.keys(RUNS))("agrees with the node's own word in %s", (name) => {
    const words = { offered: ["participate", "conditional", "not_chosen"], declined: ["decline"] };
    for (const { seat, standing } of rows(name)) {
      if (!seat) continue;
      const same = seat.standing in words ? words[seat.standing as keyof typeof words] : [seat.standing];
      expect(same, seat.agent_id).toContain(standing);
    }
  });

  it("shows those in the plan first, and everybody once", () => {
    const all = rows("sub-negotiation");
    const sections = sectionsOf(all, true);
    expect(sections[0]?.group).toBe("plan");
    expect(sections.flatMap((one) => one.rows)).toHaveLength(all.length);
    expect(countsOf(all).reduce((sum, [, count]) => sum + count, 0)).toBe(all.length);
  });

  it("takes the node's word for a substitute who never answered", () => {
    const { state } = read("full-agreement");
    const [id = ""] = state.candidateOrder;
    const [seat] = run("full-agreement").seats;
    const known = state.candidates[id];
    if (!seat || !known) throw new Error("nobody is there");
    const standing = (told: typeof seat.standing, status: typeof known.status = "invited") => {
      const candidates = { [id]: { ...known, status } };
      const seats = [{ ...seat, agent_id: id, standing: told }];
      return rowsOf({ candidates, order: [id], proposal: null, seats })[0]?.standing;
    };
    expect(standing("silent")).toBe("silent");
    expect(standing("unknown")).toBe("unknown");
    expect(standing("declined")).toBe("decline");
    expect(standing("reserve")).toBe("invited");
    expect(standing("silent", "participate")).toBe("participate");
  });

  it("moves nobody while answers come in", () => {
    const all = rows("full-agreement");
    expect(sectionsOf(all, false).flatMap((one) => one.rows)).toEqual(all);
  });
});

describe("coverage", () => {
  it("marks exactly the plan's gaps", () => {
    for (const name of Object.keys(RUNS)) {
      const { state, proposal } = read(name);
      const { requirements, candidates, candidateOrder: order } = state;
      const { rows: found } = coverageOf({ requirements, candidates, order, proposal, closed: true });
      if (!proposal) continue;
      const gaps = found.filter((row) => row.gap).map((row) => row.requirement.tag);
      expect(gaps.toSorted(), name).toEqual([...proposal.gaps].toSorted());
    }
  });
});

describe("shares of a round's feedback", () => {
  it("equal what the node counted", () => {
    for (const name of Object.keys(RUNS)) {
      const evaluated = eventsOf(name).filter((one) => one.event_type === "towow.feedback.evaluated");
      for (const { payload } of evaluated) {
        const round = read(name).state.rounds.find((one) => one.round === payload.round);
        if (!round) throw new Error(`no round ${payload.round} in ${name}`);
        const { counts, provisional } = sharesOf(round, 0);
        expect(provisional).toBe(false);
        expect(counts.explicit + counts.default).toBe(payload.accepts);
        expect([counts.negotiate, counts.withdraw]).toEqual([payload.negotiates, payload.rejects]);
        const byDefault = round.feedback.filter((one) => one.byDefault && one.kind === "accept");
        expect(counts.default).toBe(byDefault.length);
      }
    }
  });

  it("are provisional until then, and say who is awaited", () => {
    const round = read("three-rounds").state.rounds[0];
    if (!round) throw new Error("no round");
    const { counts, provisional } = sharesOf(
      { ...round, feedback: round.feedback.slice(0, 1), tally: null },
      3,
    );
    expect(provisional).toBe(true);
    expect(counts.pending).toBe(2);
  });
});

describe("totals of the steps", () => {
  it("count questions to a model, and know no cost where no price is known", () => {
    expect(totalsOf(run("full-agreement").steps).requests).toBe(0);
    const asked = run("with-a-model").steps;
    const totals = totalsOf(asked);
    expect(totals.requests).toBeGreaterThan(0);
    expect(totals.input).toBe(asked.reduce((sum, step) => sum + step.input_tokens, 0));
    const unpriced = asked.map((step) => ({ ...step, cost_usd: null }));
    expect(totalsOf(unpriced).cost).toBeNull();
  });
});
