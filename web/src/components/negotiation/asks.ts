/** What participants want to be paid since they last asked for another price. Pure. */

import type { PlanVersion, RoundState } from "../../state/model";
import { numOrNull } from "../../state/read";

export interface Ask {
  readonly round: number;
  /** By the concept, or else the name, of each role that the plan of that round gave. */
  readonly prices: ReadonlyMap<string, number>;
}

/** By agent id. Whoever said something else afterwards asks no more. */
export function asksOf(
  rounds: readonly RoundState[],
  plans: readonly PlanVersion[],
): ReadonlyMap<string, Ask> {
  const asks = new Map<string, Ask>();
  for (const { round, feedback } of rounds) {
    const plan = plans.findLast((one) => one.round === round);
    for (const { agentId, kind, changes } of feedback) {
      const price = kind === "negotiate" ? numOrNull(changes.price) : null;
      if (price === null || !plan) asks.delete(agentId);
      else asks.set(agentId, { round, prices: shared(price, agentId, plan) });
    }
  }
  return asks;
}

/** A price is asked for all roles together; each has its part of it, as the node counts. */
function shared(price: number, agentId: string, { proposal }: PlanVersion): ReadonlyMap<string, number> {
  const mine = proposal.assignments.filter((one) => one.agent_id === agentId);
  const total = mine.reduce((sum, one) => sum + one.price, 0);
  const part = (was: number) => Math.ceil(total > 0 ? (price * was) / total : price / mine.length);
  return new Map(mine.map((one) => [one.concept || one.role, mine.length === 1 ? price : part(one.price)]));
}
