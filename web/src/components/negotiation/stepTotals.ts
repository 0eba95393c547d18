/** What the steps of a run took together. Pure. */

import type { Step } from "../../api/types";

export interface Totals {
  readonly steps: number;
  readonly requests: number;
  readonly input: number;
  readonly output: number;
  /** Null where a price is not known. */
  readonly cost: number | null;
}

export function totalsOf(steps: readonly Step[]): Totals {
  const asked = steps.filter((step) => step.requests > 0);
  const known = asked.every((step) => typeof step.cost_usd === "number");
  const sum = (value: (step: Step) => number | null | undefined) =>
    asked.reduce((total, step) => total + (value(step) ?? 0), 0);
  return {
    steps: steps.length,
    requests: sum((step) => step.requests),
    input: sum((step) => step.input_tokens),
    output: sum((step) => step.output_tokens),
    cost: known ? sum((step) => step.cost_usd) : null,
  };
}
