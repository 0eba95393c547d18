import { type Texts, useTexts } from "../../i18n";
import type { PhaseName, TimelinePhase } from "../../state/timelinePhases";
import styles from "./EventTimeline.module.css";

function nameOf(phase: TimelinePhase, t: Texts["timeline"]): string {
  if (phase.startsWith("round-")) return t.round(Number(phase.slice("round-".length)));
  return t.phases[phase as PhaseName];
}

interface Props {
  readonly phase: TimelinePhase;
  readonly count: number;
  readonly level: 3 | 5;
}

export function PhaseHeading({ phase, count, level }: Props) {
  const { timeline: t } = useTexts();
  const Heading = `h${level}` as const;
  return (
    <Heading className={styles.phase} data-testid={`phase-${phase}`}>
      {nameOf(phase, t)} <span className={styles.count}>{count}</span>
    </Heading>
  );
}
