/** What happened between two versions of a plan: requests and what came of them, answers, who joined. Pure. */

import type { FeedbackState, NegotiationState, SubNegotiation } from "../../state/model";
import { str } from "../../state/read";
import type { Version } from "./versions";

/** A request of a participant, and what the next version made of it. */
export interface Answered {
  readonly agentId: string;
  readonly field: string;
  readonly requested: unknown;
  readonly result: unknown;
  readonly reason: string;
  readonly granted: boolean;
}

/** What was asked for, and what came of it, in the versions after `from` up to `to`. */
export interface Background {
  readonly answered: readonly Answered[];
  readonly feedback: readonly FeedbackState[];
  readonly told: readonly Told[];
  /** Those who joined after the last round, where that lies between the two versions. */
  readonly standIns: readonly FeedbackState[];
  readonly subs: readonly SubNegotiation[];
}

/** What has happened beside the plans. */
export type Happened = Pick<NegotiationState, "rounds" | "standIns" | "subs">;

interface Told {
  readonly agentId: string;
  readonly field: string;
  readonly reason: string;
}

export function backgroundOf(
  versions: readonly Version[],
  { rounds, standIns, subs }: Happened,
  from: Version,
  to: Version,
): Background {
  const after = versions.slice(versions.indexOf(from) + 1, versions.indexOf(to) + 1);
  const adjustments = after.flatMap((version) => (version.adjustment ? [version.adjustment] : []));
  const until = to.final ? to.round + 1 : to.round;
  const heard = rounds.filter((round) => round.round >= from.round && round.round < until);
  return {
    answered: adjustments.flatMap((one) => [
      ...one.requests_addressed.map((entry) => answered(entry, true)),
      ...one.requests_declined.map((entry) => answered(entry, false)),
    ]),
    feedback: heard.flatMap((round) => round.feedback),
    told: adjustments.flatMap((one) => one.changes_made.map(told)),
    standIns: to.final ? standIns.filter((one) => one.kind === "accept") : [],
    subs: to.final ? subs.filter((one) => one.outcome === "finalized") : [],
  };
}

function answered(entry: Readonly<Record<string, unknown>>, granted: boolean): Answered {
  return {
    agentId: str(entry.agent_id),
    field: str(entry.field),
    requested: entry.requested,
    result: entry.result,
    reason: str(entry.reason),
    granted,
  };
}

function told(entry: Readonly<Record<string, unknown>>): Told {
  return { agentId: str(entry.agent_id), field: str(entry.field), reason: str(entry.reason) };
}
