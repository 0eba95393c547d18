/** Who has agreed to a version of the plan, and how. */

import type { Ending, FeedbackState, NegotiationState } from "../../state/model";
import type { Version } from "./versions";

export type Consent = "explicit" | "default" | "asked" | "withdrawn" | "none" | "missing";

/** By agent id; who is not in it has not answered. */
export type Consents = Readonly<Record<string, Consent>>;

/** What was said to the plans, and what those said who were asked to stand in after the last round. */
export type Said = Pick<NegotiationState, "rounds" | "standIns" | "ending">;

export function consentsOf(version: Version, { rounds, standIns, ending }: Said): Consents {
  const found: Record<string, Consent> = {};
  for (const round of rounds) {
    const counts = version.final ? round.round <= version.round : round.round === version.round;
    if (counts) for (const one of round.feedback) found[one.agentId] = consentIn(one);
  }
  if (version.final) for (const one of standIns) found[one.agentId] = consentIn(one);
  if (!settles(ending, version, rounds.at(-1)?.round)) return found;
  for (const id of ending.unconfirmed) if (found[id] !== "default") found[id] = "missing";
  return found;
}

function settles(ending: Ending | null, version: Version, last: number | undefined): ending is Ending {
  return ending?.kind === "finalized" && (version.final || version.round === last);
}

function consentIn(feedback: FeedbackState): Consent {
  if (feedback.kind === "accept") return feedback.byDefault ? "default" : "explicit";
  return feedback.kind === "negotiate" ? "asked" : "withdrawn";
}

export interface ConsentNames {
  readonly explicit: readonly string[];
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
    byDefault: named("default"),
    unconfirmed: named("missing", "none", "asked", "withdrawn"),
  };
}
