/** Open places of a plan, and who is asked to fill them between the count of a round and what follows it. */

import type { CandidateState, NegotiationState } from "./model";

/** Those who were asked to stand in after the present round was counted, and have not answered. */
export function offeredTo({
  round,
  rounds,
  standIns,
  candidates,
  ending,
}: NegotiationState): readonly CandidateState[] {
  const counted = rounds.some((one) => one.round === round && one.tally !== null);
  if (!counted || ending !== null) return [];
  const answered = new Set(standIns.filter((one) => one.round === round).map((one) => one.agentId));
  return Object.values(candidates).filter(
    (one) => one.substituteIn === round && !answered.has(one.agentId) && !refused(one),
  );
}

function refused({ status }: CandidateState): boolean {
  return status === "decline" || status === "withdrawn" || status === "silent" || status === "unknown";
}
