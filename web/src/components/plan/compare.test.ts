import { describe, expect, it } from "vitest";
import { eventsOf } from "../../fixtures/runs";
import { fold } from "../../state/apply";
import { backgroundOf } from "./background";
import { causeOf } from "./causes";
import { compare } from "./compare";
import { consentNames, consentsOf } from "./consent";
import { formOf, type Version, versionsOf } from "./versions";

const at = (versions: readonly Version[], index: number): Version => {
  const found = versions[index];
  if (!found) throw new Error(`there is no version ${index}`);
  return found;
};

function read(name: string) {
  const state = fold(eventsOf(name));
  return { state, versions: versionsOf(state.plans, state.ending) };
}

describe("compare", () => {
  it("finds nothing between a plan and itself", () => {
    for (const name of ["full-agreement", "three-rounds", "sub-negotiation"]) {
      for (const { proposal } of read(name).versions) expect(compare(proposal, proposal)).toEqual([]);
    }
  });

  it("is the same both ways round", () => {
    const { versions } = read("substitute");
    const there = compare(at(versions, 0).proposal, at(versions, 1).proposal);
    const back = compare(at(versions, 1).proposal, at(versions, 0).proposal);
    expect(back.length).toBe(there.length);
    expect(there.filter((one) => one.field === "role_added").length).toBe(
      back.filter((one) => one.field === "role_removed").length,
    );
  });

  it("names who, which role, from what and to what", () => {
    const { versions } = read("three-rounds");
    const changes = compare(at(versions, 0).proposal, at(versions, 1).proposal);
    expect(changes.length).toBeGreaterThan(0);
    for (const change of changes.filter((one) => one.agentId !== null)) {
      expect(change.name).not.toBe("");
      expect(change.from).not.toEqual(change.to);
    }
  });
});

describe("causeOf", () => {
  it("leads each new price back to the event in which it was asked for", () => {
    const { state, versions } = read("three-rounds");
    const asked = new Set(state.rounds.flatMap((round) => round.feedback.map((one) => one.eventId)));
    const [from, to] = [at(versions, 0), at(versions, 2)];
    const changes = compare(from.proposal, to.proposal);
    const background = backgroundOf(versions, state, from, to);
    const prices = changes.filter((one) => one.field === "price");
    expect(prices.length).toBeGreaterThan(0);
    for (const change of prices) {
      const cause = causeOf(change, changes, background);
      expect(cause.kind).toBe("request");
      expect(cause.agentId).toBe(change.agentId);
      expect(asked).toContain(cause.request);
    }
  });

  it("leads a role taken over back to whoever left it", () => {
    const { state, versions } = read("substitute");
    const [from, to] = [at(versions, 0), at(versions, 1)];
    const changes = compare(from.proposal, to.proposal);
    const background = backgroundOf(versions, state, from, to);
    const causes = changes.map((change) => causeOf(change, changes, background));
    const added = causes[changes.findIndex((one) => one.field === "role_added")];
    const removed = causes[changes.findIndex((one) => one.field === "role_removed")];
    expect(removed?.kind).toBe("withdrawal");
    expect(added).toMatchObject({ kind: "replaces", request: removed?.request, agentId: removed?.agentId });
  });
});

describe("who joined after the last round", () => {
  it.each([
    ["stand-in", "stood_in", "stoodIn"],
    ["sub-negotiation", "sub", "bySub"],
  ] as const)("%s: is named as the cause, and as consent", (name, kind, group) => {
    const { state, versions } = read(name);
    const [from, to] = [at(versions, 0), at(versions, versions.length - 1)];
    const changes = compare(from.proposal, to.proposal);
    const background = backgroundOf(versions, state, from, to);
    const joining = changes.filter((one) => one.field === "role_added" || one.field === "gap_closed");
    expect(joining.map((one) => one.field)).toContain("role_added");
    for (const change of joining) expect(causeOf(change, changes, background).kind).toBe(kind);
    const names = consentNames(to, consentsOf(to, state));
    const added = changes.filter((one) => one.field === "role_added").map((one) => one.name);
    expect(names[group]).toEqual(added);
    expect(names.unconfirmed).toEqual([]);
  });

  it("counts nobody as agreeing in words whom the node does not", () => {
    const { state, versions } = read("sub-negotiation");
    const final = at(versions, versions.length - 1);
    const [first] = final.proposal.assignments;
    if (!first || !state.ending) throw new Error("nobody is in the plan");
    const ending = { ...state.ending, unconfirmed: [first.agent_id] };
    expect(consentsOf(final, { ...state, ending })[first.agent_id]).toBe("missing");
  });
});

describe("versions and forms", () => {
  it.each([
    ["full-agreement", "plan"],
    ["partial-by-silence", "partial"],
    ["compromise-with-gaps", "compromise"],
    ["failed-no-agreement", "last"],
    ["cancelled", "last"],
  ])("%s is shown as %s", (name, form) => {
    expect(formOf(read(name).state.ending)).toBe(form);
  });

  it("tells what was settled apart from the last draft where somebody joined later", () => {
    const { state, versions } = read("stand-in");
    expect(versions.map((one) => one.id)).toEqual(["1", "final"]);
    const names = consentNames(at(versions, 1), consentsOf(at(versions, 1), state));
    const everybody = new Set(at(versions, 1).proposal.assignments.map((one) => one.display_name));
    expect(new Set([...names.explicit, ...names.byDefault, ...names.stoodIn])).toEqual(everybody);
    expect(names.unconfirmed).toEqual([]);
  });

  it("says who has not confirmed", () => {
    const { state, versions } = read("partial-by-silence");
    const consents = consentsOf(at(versions, 0), state);
    expect(consents.user_agent_planner).not.toBe("explicit");
    for (const id of state.ending?.unconfirmed ?? []) expect(["default", "missing"]).toContain(consents[id]);
  });
});
