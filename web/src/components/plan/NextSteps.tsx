import { hrefTo } from "../../hooks/useHashRoute";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { useBeside } from "../negotiation/beside";
import styles from "./EndCard.module.css";
import { keyedTexts } from "./keyed";

interface Props {
  readonly phase: "success" | "partial" | "compromise" | "failed" | "cancelled";
  readonly suggestions: readonly string[];
}

/** What can be done now; where the plan below is a compromise, it has the suggestions itself. */
export function NextSteps({ phase, suggestions }: Props) {
  const { end: texts } = useTexts().plan;
  const demandId = useNegotiation((state) => state.demandId);
  const { source } = useBeside();
  const inPlan = useNegotiation((state) => state.ending?.compromise != null && state.plans.length > 0);
  const advice = {
    success: texts.nextSuccess,
    partial: texts.nextPartial,
    compromise: texts.nextCompromise,
    failed: texts.nextFailed,
    cancelled: texts.nextCancelled,
  }[phase];
  return (
    <div className={styles.next} data-testid="end-next">
      <h3>{texts.next}</h3>
      <p>{advice}</p>
      {!inPlan && (
        <ul>
          {keyedTexts(suggestions).map(([key, one]) => (
            <li key={key} dir="auto">
              {one}
            </li>
          ))}
        </ul>
      )}
      <p className={styles.links}>
        <a href={hrefTo({ page: "form" })}>{texts.again}</a>
        {source === "live" && demandId && <a href={hrefTo({ page: "replay", demandId })}>{texts.replay}</a>}
      </p>
    </div>
  );
}
