/** The parts of a round's feedback: counted by the node, or as far as it has been seen. Pure. */

import type { FeedbackState, RoundState } from "../../state/model";

export const PARTS = ["explicit", "default", "negotiate", "withdraw", "silent", "pending"] as const;
export type Part = (typeof PARTS)[number];

export interface Shares {
  readonly counts: Readonly<Record<Part, number>>;
  readonly total: number;
  readonly provisional: boolean;
  /** 0 to 1; null while provisional. */
  readonly acceptRate: number | null;
}

/** `asked`: how many are in the plan of that round. */
export function sharesOf({ feedback, tally }: RoundState, asked: number): Shares {
  if (tally === null) return seen(feedback, asked);
  const { explicit, byDefault, negotiate, withdraw, silent } = tally;
  const counts = { explicit, default: byDefault, negotiate, withdraw, silent, pending: 0 };
  return { counts, total: sum(counts), provisional: false, acceptRate: tally.acceptRate };
}

function seen(feedback: readonly FeedbackState[], asked: number): Shares {
  const latest = new Map(feedback.map((one) => [one.agentId, one]));
  const counts = { explicit: 0, default: 0, negotiate: 0, withdraw: 0, silent: 0, pending: 0 };
  for (const one of latest.values()) counts[partOf(one)] += 1;
  counts.pending = Math.max(0, asked - latest.size);
  return { counts, total: sum(counts), provisional: true, acceptRate: null };
}

export function partOf({ kind, byDefault }: FeedbackState): Part {
  if (kind === "accept") return byDefault ? "default" : "explicit";
  return kind;
}

function sum(counts: Readonly<Record<Part, number>>): number {
  return PARTS.reduce((total, part) => total + counts[part], 0);
}
