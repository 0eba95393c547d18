import { describe, expect, it } from "vitest";
import type { LogEvent } from "../api/types";
import { eventsOf, RUNS, run } from "../fixtures/runs";
import { apply, fold, isKnown } from "./apply";
import { tallyOf } from "./feedback";
import { MOST_EVENTS, type NegotiationState, NOTHING, type Phase } from "./model";

const ENDS: Readonly<Record<string, Phase>> = {
  "full-agreement": "success",
  "three-rounds": "success",
  "confirmed-edited": "success",
  "with-a-person": "success",
  "with-a-model": "compromise",
  degraded: "success",
  "sub-negotiation": "success",
  "sub-negotiation-child": "success",
  substitute: "success",
  "stand-in": "success",
  "partial-by-silence": "partial",
  "compromise-with-gaps": "compromise",
  divided: "partial",
  "sub-negotiation-failed": "compromise",
  "sub-negotiation-failed-child": "failed",
  "failed-no-agreement": "failed",
  "failed-core-role-lost": "failed",
  "failed-no-candidates": "failed",
  "failed-no-answer": "failed",
  "failed-all-decline": "failed",
  cancelled: "cancelled",
};

const names = Object.keys(RUNS);
const of = (name: string): NegotiationState => fold(eventsOf(name));
const payloads = (name: string, type: string) =>
  eventsOf(name).flatMap((event) => (event.event_type === `towow.${type}` ? [event.payload] : []));

/** The state just after the first event of a type. */
function upTo(name: string, type: string): NegotiationState {
  const events = eventsOf(name);
  return fold(events.slice(0, events.findIndex((event) => event.event_type === `towow.${type}`) + 1));
}

it("has an expectation for every recorded run", () => {
  expect(new Set(names)).toEqual(new Set(Object.keys(ENDS)));
});

describe.each(names)("the run %s", (name) => {
  const state = of(name);
  const { demand, seats } = run(name);

  it("ends as the node says", () => {
    expect(state.phase).toBe(ENDS[name]);
    expect(state.ending?.kind).toBe(demand.status === "completed" ? "finalized" : "failed");
    expect(state.ending?.consensus ?? null).toBe(demand.consensus ?? null);
    expect(state.ending?.reason ?? null).toBe(demand.reason ?? null);
    expect(state.ending?.suggestions).toEqual(demand.suggestions);
    expect(state.degraded).toBe(demand.degraded);
    expect(new Set(state.ending?.degradedSteps)).toEqual(
      new Set(demand.degraded_steps.map((step) => step.prompt)),
    );
    expect(state.deadlineAt).toBeNull();
  });

  it("is understood as the node says", () => {
    expect(state.demandId).toBe(demand.demand_id);
    expect(state.channelId).toBe(demand.channel_id);
    expect(state.understanding).toEqual(demand.understanding);
    expect(state.requirements).toEqual(demand.understanding?.requirements);
    expect(state.constraints).toEqual(demand.understanding?.constraints);
    expect(state.edited).toEqual(demand.edited);
    expect(state.round).toBe(demand.round);
  });

  it("knows everybody who was asked", () => {
    expect(state.candidateOrder).toHaveLength(Object.keys(state.candidates).length);
    const asked = seats.filter((seat) => seat.invited).map((seat) => seat.agent_id);
    expect(state.candidateOrder).toEqual(expect.arrayContaining(asked));
    for (const seat of seats) {
      const known = state.candidates[seat.agent_id];
      if (known) expect(known.displayName).toBe(seat.display_name);
    }
  });

  it("keeps every plan, and what became of the wishes", () => {
    const distributed = payloads(name, "proposal.distributed");
    expect(state.plans.map((plan) => plan.proposal)).toEqual(distributed.map((payload) => payload.proposal));
    expect(state.plans.map((plan) => plan.adjustment)).toEqual(
      distributed.map((payload) => payload.adjustment ?? null),
    );
  });

  it("tells the parts of each round's feedback apart", () => {
    const evaluated = payloads(name, "feedback.evaluated");
    expect(state.rounds.filter((round) => round.tally)).toHaveLength(evaluated.length);
    for (const counted of evaluated) {
      const round = state.rounds.find((item) => item.round === counted.round);
      const tally = round?.tally;
      expect((tally?.explicit ?? 0) + (tally?.byDefault ?? 0)).toBe(counted.accepts);
      expect(tally?.negotiate).toBe(counted.negotiates);
      expect(tally?.withdraw).toBe(counted.rejects);
      expect(tally?.silent).toBe(counted.silent);
      expect(round?.feedback.filter((item) => item.kind === "accept" && item.byDefault)).toHaveLength(
        tally?.byDefault ?? -1,
      );
      expect({ ...tallyOf({ round: 1, feedback: round?.feedback ?? [], tally: null }) }).toMatchObject({
        explicit: tally?.explicit,
        byDefault: tally?.byDefault,
        negotiate: tally?.negotiate,
        withdraw: tally?.withdraw,
      });
    }
  });

  it("is the same whichever way it came", () => {
    const events = eventsOf(name);
    expect(fold([...events, ...events])).toEqual(state);
    for (let cut = 0; cut <= events.length; cut += 1) {
      expect(fold(events.slice(Math.max(0, cut - 3)), fold(events.slice(0, cut)))).toEqual(state);
    }
  });

  it("knows every type of event, and keeps each event", () => {
    expect(eventsOf(name).filter((event) => !isKnown(event.event_type))).toEqual([]);
    expect(state.events).toEqual(eventsOf(name));
    expect(JSON.parse(JSON.stringify(state))).toEqual(state);
  });
});

describe("phases", () => {
  it.each([
    ["demand.submitted", "understanding"],
    ["demand.understood", "waiting"],
    ["demand.confirmed", "searching"],
    ["filter.completed", "searching"],
    ["channel.created", "negotiating"],
    ["proposal.distributed", "negotiating"],
    ["proposal.finalized", "success"],
  ])("after %s: %s", (type, phase) => {
    expect(upTo("confirmed-edited", type).phase).toBe(phase);
  });

  it("begins with nothing, and does not wait where nobody asked for it", () => {
    expect(NOTHING.phase).toBe("empty");
    expect(upTo("full-agreement", "demand.understood").phase).toBe("searching");
  });

  it("counts the time only while something is waited for", () => {
    expect(upTo("full-agreement", "demand.broadcast").deadlineAt).toBe(
      payloads("full-agreement", "demand.broadcast")[0]?.deadline_at,
    );
    expect(upTo("full-agreement", "aggregation.started").deadlineAt).toBeNull();
    expect(upTo("full-agreement", "proposal.distributed").deadlineAt).not.toBeNull();
    expect(upTo("full-agreement", "feedback.evaluated").deadlineAt).toBeNull();
  });
});

describe("candidates", () => {
  it("are invited, then say what they do", () => {
    const invited = upTo("three-rounds", "filter.completed");
    expect(Object.values(invited.candidates).map((item) => item.status)).toEqual(Array(3).fill("invited"));
    expect(Object.values(invited.candidates).every((item) => item.reason !== "")).toBe(true);
    const { candidates } = of("three-rounds");
    expect(candidates.user_agent_venue?.status).toBe("participate");
    expect(candidates.user_agent_speaker).toMatchObject({ status: "conditional", contribution: "可以承担" });
    expect(candidates.user_agent_speaker?.conditions.map((item) => item.text)).toContain("需要提供投影设备");
  });

  it("decline, say nothing, or leave", () => {
    expect(of("failed-all-decline").candidates.user_agent_venue).toMatchObject({
      status: "decline",
      declineReason: "没有档期",
    });
    const person = Object.values(of("with-a-person").candidates).find((item) => item.person);
    expect(person).toMatchObject({ displayName: "小林", status: "silent" });
    const quiet = Object.values(of("failed-no-answer").candidates).map((item) => item.status);
    expect(quiet).toEqual(["silent", "silent", "silent"]);
    expect(of("substitute").candidates.user_agent_venue).toMatchObject({
      status: "withdrawn",
      withdrawReason: "有别的安排",
    });
  });

  it("step in for somebody who left", () => {
    const replaced = of("substitute").plans.map((plan) =>
      plan.proposal.assignments.map((item) => item.agent_id),
    );
    expect(replaced[0]).not.toContain("user_agent_spare");
    expect(replaced[1]).toContain("user_agent_spare");
    const standIn = of("stand-in");
    const [answer] = standIn.standIns;
    expect(answer).toMatchObject({ kind: "accept", byDefault: false });
    expect(standIn.candidates[answer?.agentId ?? ""]?.substituteIn).toBe(1);
    expect(standIn.ending?.proposal?.assignments.map((item) => item.agent_id)).toContain(answer?.agentId);
  });

  it("show whose answer a failed model stood in for", () => {
    expect(Object.values(of("degraded").candidates).every((item) => item.source === "fallback")).toBe(true);
    expect(of("degraded").plans[0]).toMatchObject({ source: "fallback", degraded: true });
  });
});

describe("endings", () => {
  it("tell who has not agreed in words", () => {
    expect(of("partial-by-silence").ending).toMatchObject({
      consensus: "partial",
      label: "部分共识",
      unconfirmed: ["user_agent_planner"],
    });
    expect(of("partial-by-silence").rounds[0]?.tally).toMatchObject({ explicit: 2, byDefault: 1 });
  });

  it("carry the mark of a partial consensus only when there is a final plan", () => {
    expect(of("divided").ending?.proposal?.consensus).toBe("partial");
    const failed = of("failed-no-agreement").ending;
    expect(failed).toMatchObject({ consensus: null, label: "" });
    expect(failed?.proposal).toMatchObject({ version: 3, consensus: null, consensus_label: "" });
  });

  it("tell the gaps and the compromise, also of a negotiation that failed", () => {
    expect(of("compromise-with-gaps").gaps.map((gap) => gap.gap_type)).toEqual(["摄影"]);
    expect(of("compromise-with-gaps").ending?.compromise?.summary).not.toBe("");
    expect(of("failed-core-role-lost").ending?.compromise).not.toBeNull();
    expect(of("failed-core-role-lost").gaps).not.toEqual([]);
    expect(of("failed-no-candidates").ending?.code).toBe("E005");
    expect(of("failed-no-answer").ending?.code).toBe("E006");
  });

  it("leave the plan where it is", () => {
    expect(of("cancelled").plans).toHaveLength(1);
    expect(of("failed-no-agreement").plans).toHaveLength(3);
  });

  it("tell what the models took", () => {
    expect(of("with-a-model").ending?.usage?.requests).toBe(run("with-a-model").demand.usage.requests);
    expect(of("full-agreement").ending?.usage?.requests).toBe(0);
  });

  it("read a compromise from the plan that it settled", () => {
    const settled = eventsOf("compromise-with-gaps").map((event) =>
      event.event_type === "towow.proposal.finalized"
        ? { ...event, payload: { ...event.payload, compromise: null } }
        : event,
    );
    expect(fold(settled).phase).toBe("compromise");
  });
});

describe("sub-negotiations", () => {
  it("run, then tell how they ended", () => {
    expect(upTo("sub-negotiation", "subnet.triggered").subs).toMatchObject([
      { demandId: "d-00000002", channelId: "collab-00000002", gapType: "摄影", outcome: "running" },
    ]);
    expect(of("sub-negotiation").subs).toMatchObject([{ outcome: "finalized" }]);
    expect(of("sub-negotiation").subs[0]?.proposal?.assignments).not.toEqual([]);
    expect(of("sub-negotiation").gaps).toEqual([]);
    expect(of("sub-negotiation-failed").subs).toMatchObject([{ outcome: "failed", proposal: null }]);
    expect(of("sub-negotiation-failed").gaps.map((gap) => gap.gap_type)).toEqual(["摄影"]);
  });
});

describe("the log", () => {
  const event = (seq: number, type = "towow.something.new", payload = {}): LogEvent => ({
    event_id: `evt-00000001-${seq}`,
    event_type: type,
    timestamp: "2026-11-21T08:00:00.000Z",
    payload,
  });

  it("shows types that are not known yet, and nothing else changes", () => {
    const before = of("cancelled");
    const after = apply(before, { ...event(999), payload: { demand_id: "d-00000001" } });
    expect(after.events.at(-1)?.event_type).toBe("towow.something.new");
    expect({ ...after, events: 0, lastEventId: 0, updatedAt: 0 }).toEqual({
      ...before,
      events: 0,
      lastEventId: 0,
      updatedAt: 0,
    });
  });

  it("takes no event twice, none that is older, and none of another negotiation", () => {
    const state = fold([event(3), event(7)]);
    for (const stale of [event(7), event(3), event(5), { ...event(9), event_id: "evt-00000002-9" }]) {
      expect(apply(state, stale)).toBe(state);
    }
    const foreign = fold([{ ...event(1), event_id: "a" }]);
    expect(apply(foreign, { ...event(2), event_id: "a" })).toBe(foreign);
    expect(apply(foreign, { ...event(2), event_id: "b" }).events).toHaveLength(2);
  });

  it("keeps a thousand events and counts those that left", () => {
    const state = fold(Array.from({ length: 1234 }, (_, index) => event(index)));
    expect(state.events).toHaveLength(MOST_EVENTS);
    expect(state.dropped).toBe(234);
    expect(state.events[0]?.event_id).toBe("evt-00000001-234");
    expect(state.startedAt).toBe(event(0).timestamp);
  });

  it("ends once", () => {
    const failed = event(1, "towow.negotiation.failed", { reason: "cancelled" });
    const state = fold([failed, event(2, "towow.proposal.finalized"), event(3, "towow.demand.submitted")]);
    expect(state.phase).toBe("cancelled");
    expect(state.events).toHaveLength(3);
  });

  it("tells a recording that is shown again", () => {
    expect(fold([event(0, "towow.demand.submitted", { demo: true, mark: "DEMO" })]).demo).toBe(true);
  });
});

it("remembers in which phase the last event stood that left memory", () => {
  const told = (seq: number, type: string, payload: Record<string, unknown>): LogEvent => ({
    event_id: `evt-0000abcd-${seq}`,
    event_type: `towow.${type}`,
    timestamp: "2026-11-21T08:00:00Z",
    payload,
  });
  const talk = Array.from({ length: MOST_EVENTS }, (_, seq) => told(seq + 1, "agent.said", {}));
  const begun = fold([told(0, "proposal.distributed", { round: 2 }), ...talk.slice(0, -1)]);
  expect(begun.droppedPhase).toBe("other");
  expect(fold(talk, begun)).toMatchObject({ dropped: 1, droppedPhase: "round-2" });
});
