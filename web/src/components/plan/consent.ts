/** Who has agreed to a version of the plan, and how. */

import type { FeedbackState, NegotiationState } from "../../state/model";
import type { Version } from "./versions";

export type Consent =
  | "explicit"
  | "default"
  | "asked"
  | "withdrawn"
  | "stood_in"
  | "sub"
  | "none"
  | "missing";

/** By agent id; who is not in it has not answered. */
export type Consents = Readonly<Record<string, Consent>>;

/** What was said to the plans, and what those said who joined after the last round. */
export type Said = Pick<NegotiationState, "rounds" | "standIns" | "subs" | "ending">;

export function consentsOf(version: Version, said: Said): Consents {
  const { rounds, ending } = said;
  const found: Record<string, Consent> = Object.create(null);
  for (const round of rounds) {
    const counts = version.final ? round.round <= version.round : round.round === version.round;
    if (counts) for (const one of round.feedback) found[one.agentId] = consentIn(one);
  }
  if (version.final) Object.assign(found, joined(said, found));
  const settles = version.final || version.round === rounds.at(-1)?.round;
  if (ending?.kind !== "finalized" || !settles) return found;
  for (const id of ending.unconfirmed) found[id] = unsaid(found[id]);
  return found;
}

/** Those who came after the last round: each was asked somewhere else than in a round. */
function joined({ standIns, subs }: Said, reviewed: Consents): Consents {
  const found: Record<string, Consent> = Object.create(null);
  for (const { outcome, proposal } of subs) {
    if (outcome !== "finalized") continue;
    for (const { agent_id: id } of proposal?.assignments ?? []) if (!(id in reviewed)) found[id] = "sub";
  }
  for (const one of standIns) found[one.agentId] = one.kind === "accept" ? "stood_in" : consentIn(one);
  return found;
}

/** A consent that the node did not count as one in words is none, whatever was said in an earlier round. */
function unsaid(before: Consent | undefined): Consent {
  return before === "default" || before === "asked" ? before : "missing";
}

function consentIn(feedback: FeedbackState): Consent {
  if (feedback.kind === "accept") return feedback.byDefault ? "default" : "explicit";
  return feedback.kind === "negotiate" ? "asked" : "withdrawn";
}

export interface ConsentNames {
  readonly explicit: readonly string[];
  readonly stoodIn: readonly string[];
  readonly bySub: readonly string[];
  readonly byDefault: readonly string[];
  readonly unconfirmed: readonly string[];
}

/** The people of a plan by how they consented, each named once. */
export function consentNames(version: Version, consents: Consents): ConsentNames {
  const people = new Map(version.proposal.assignments.map((one) => [one.agent_id, one.display_name]));
  const named = (...kinds: readonly Consent[]) =>
    [...people].filter(([id]) => kinds.includes(consents[id] ?? "none")).map(([, name]) => name);
  return {
    explicit: named("explicit"),
    stoodIn: named("stood_in"),
    bySub: named("sub"),
    byDefault: named("default"),
    unconfirmed: named("missing", "none", "asked", "withdrawn"),
  };
}
