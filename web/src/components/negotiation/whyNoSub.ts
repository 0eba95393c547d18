import type { Step } from "../../api/types";
import { isRecord, str } from "../../state/read";

const CONDITIONS = ["condition_1", "condition_2", "condition_3"] as const;

/** Why no sub-negotiation was begun, in the words of the step that decided it; none where that step was not taken. */
export function whyNoSub(steps: readonly Step[]): readonly string[] {
  const decided = steps.findLast((step) => step.prompt === "recurse")?.result;
  if (!isRecord(decided) || decided.should_recurse !== false) return [];
  return CONDITIONS.flatMap((name) => {
    const words = str(decided[`${name}_analysis`]);
    return decided[`${name}_met`] === false && words !== "" ? [words] : [];
  });
}
