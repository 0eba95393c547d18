/** The versions of a plan that a reader can choose between, and in which form the card shows them. */

import type { Proposal } from "../../api/types";
import { worthOf } from "../../state/ending";
import type { Ending, PlanVersion } from "../../state/model";
import { keyed } from "./keyed";

export interface Version {
  /** `1`, `2`, `3` or `final`. */
  readonly id: string;
  readonly proposal: Proposal;
  readonly round: number;
  readonly adjustment: PlanVersion["adjustment"];
  readonly source: string | null;
  readonly degraded: boolean;
  readonly final: boolean;
}

/** The last version differs from what was settled where somebody joined or left after the last round. */
export function versionsOf(plans: readonly PlanVersion[], ending: Ending | null): readonly Version[] {
  const numbered = keyed(plans, (plan) => String(plan.proposal.version));
  const drafts = numbered.map(([id, plan]) => ({ ...plan, id: id.replace(" ", "-"), final: false }));
  const settled = ending?.proposal ?? null;
  const last = drafts.at(-1);
  if (settled === null || (last && sameContent(last.proposal, settled))) return drafts;
  const round = last?.round ?? ending?.roundsTaken ?? settled.version;
  const end = { proposal: settled, round, adjustment: null, source: null, degraded: false };
  return [...drafts, { ...end, id: "final", final: true }];
}

export function currentProposal(plans: readonly PlanVersion[], ending: Ending | null): Proposal | null {
  return ending?.proposal ?? plans.at(-1)?.proposal ?? null;
}

export type PlanForm = "plan" | "partial" | "compromise" | "last";

/** A negotiation that failed has no plan, whatever was on the table. */
export function formOf(ending: Ending | null): PlanForm {
  if (ending === null) return "plan";
  if (ending.kind === "failed") return "last";
  const worth = worthOf(ending);
  return worth === "success" ? "plan" : worth;
}

function sameContent(one: Proposal, other: Proposal): boolean {
  const content = ({ assignments, timeline, gaps }: Proposal) =>
    JSON.stringify([assignments, timeline, gaps]);
  return content(one) === content(other);
}
