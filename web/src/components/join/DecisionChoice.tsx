import { useTexts } from "../../i18n";
import type { Decision } from "./answers";
import styles from "./Join.module.css";

const DECISIONS = ["participate", "conditional", "decline"] as const satisfies readonly Decision[];

export interface DecisionChoiceProps {
  readonly decision: Decision;
  readonly change: (decision: Decision) => void;
}

export function DecisionChoice({ decision, change }: DecisionChoiceProps) {
  const { join } = useTexts();
  return (
    <fieldset>
      <legend className={styles.label}>{join.decision}</legend>
      <div className={styles.choices}>
        {DECISIONS.map((one) => (
          <label key={one} className={styles.choice}>
            <input
              type="radio"
              name="decision"
              data-testid={`decision-${one}`}
              checked={decision === one}
              onChange={() => change(one)}
            />
            <span>
              {join.decisions[one]}
              <span className={styles.note}>{join.decisionHints[one]}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
