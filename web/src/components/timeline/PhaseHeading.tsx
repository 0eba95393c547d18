import { type Texts, useTexts } from "../../i18n";
import type { PhaseName, TimelinePhase } from "../../state/timelinePhases";
import styles from "./EventTimeline.module.css";

function nameOf(phase: TimelinePhase, t: Texts["timeline"]): string {
  if (phase.startsWith("round-")) return t.round(Number(phase.slice("round-".length)));
  return t.phases[phase as PhaseName];
}

export function PhaseHeading({ phase, count }: { readonly phase: TimelinePhase; readonly count: number }) {
  const { timeline: t } = useTexts();
  return (
    <h3 className={styles.phase} data-testid={`phase-${phase}`}>
      {nameOf(phase, t)} <span className={styles.count}>{count}</span>
    </h3>
  );
}
