import type { ReactNode } from "react";
import { Badge, type Tone } from "../../ui/Badge";
import styles from "./Explained.module.css";

interface Props {
  readonly badge: string;
  readonly tone: Tone;
  readonly testId: string;
  readonly children: ReactNode;
}

/** A badge that tells more when it is opened; no hovering needed. */
export function Explained({ badge, tone, testId, children }: Props) {
  return (
    <details className={styles.explained} data-testid={testId}>
      <summary>
        <Badge tone={tone}>{badge}</Badge>
      </summary>
      <div className={styles.panel}>{children}</div>
    </details>
  );
}
