import type { NegotiationState, Phase } from "../../state/model";
import type { Tone } from "../../ui/Badge";

export const PHASE_TONE: Readonly<Record<Phase, Tone>> = {
  empty: "neutral",
  understanding: "info",
  waiting: "warn",
  searching: "info",
  negotiating: "info",
  success: "good",
  partial: "warn",
  compromise: "warn",
  failed: "bad",
  cancelled: "neutral",
};

const OPEN: ReadonlySet<Phase> = new Set(["understanding", "waiting", "searching", "negotiating"]);

/** Whether it still runs and so can be cancelled. */
export function isOpen(phase: Phase): boolean {
  return OPEN.has(phase);
}

/** How many of those invited have said anything. */
export function answeredOf({ candidates }: NegotiationState): number {
  return Object.values(candidates).filter((one) => one.status !== "invited").length;
}
