import { useTexts } from "../../i18n";
import type { CandidateState, Condition } from "../../state/model";
import { Badge } from "../../ui/Badge";
import { keyed } from "../plan/keyed";
import styles from "./CandidateCard.module.css";
import { LongText } from "./LongText";
import { FATE_TONE } from "./standingTone";

/** What a candidate said, word for word. */
export function CandidateWords({ state }: { readonly state: CandidateState }) {
  const { candidates: texts } = useTexts().negotiation;
  const { contribution, reasoning, declineReason, withdrawReason, conditions, fault } = state;
  const reasons = reasoning !== contribution && reasoning !== declineReason ? reasoning : "";
  const said = contribution || reasons || declineReason || withdrawReason;
  return (
    <>
      {said && (
        <div className={styles.words} data-testid="words">
          {contribution && (
            <blockquote>
              <LongText text={contribution} />
            </blockquote>
          )}
          <Said label={texts.reasoning} words={reasons} />
          <Said label={texts.declined} words={declineReason} testId="decline-reason" />
          <Said label={texts.withdrew} words={withdrawReason} testId="withdraw-reason" />
        </div>
      )}
      {conditions.length > 0 && <Conditions conditions={conditions} />}
      {fault && <p className={styles.fault}>{texts.fault(fault)}</p>}
    </>
  );
}

interface SaidProps {
  readonly label: string;
  readonly words: string;
  readonly testId?: string;
}

function Said({ label, words, testId }: SaidProps) {
  if (!words) return null;
  return (
    <div className={styles.said} data-testid={testId}>
      <span className={styles.label}>{label}</span> <LongText text={words} />
    </div>
  );
}

function Conditions({ conditions }: { readonly conditions: readonly Condition[] }) {
  const { candidates: texts } = useTexts().negotiation;
  return (
    <div className={styles.said} data-testid="conditions">
      <span className={styles.label}>{texts.conditions}</span>
      <ul className={styles.conditions}>
        {keyed(conditions, (one) => one.text).map(([key, { text, status, reason }]) => (
          <li key={key} data-fate={status}>
            <span dir="auto">{text}</span> <Badge tone={FATE_TONE[status]}>{texts.fate[status]}</Badge>
            {reason && <span className={styles.reason}>{reason}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
