import { hrefTo } from "../../hooks/useHashRoute";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { beginWith } from "../form/draft";
import { useBeside } from "../negotiation/beside";
import styles from "./EndCard.module.css";
import { keyedTexts } from "./keyed";

interface Props {
  readonly phase: "success" | "partial" | "compromise" | "failed" | "cancelled";
  readonly suggestions: readonly string[];
}

/** What can be done now; where the plan below is a compromise, it has the suggestions itself. */
export function NextSteps({ phase, suggestions }: Props) {
  const { plan, negotiation } = useTexts();
  const texts = plan.end;
  const demandId = useNegotiation((state) => state.demandId);
  const words = useNegotiation((state) => state.rawInput);
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
        {phase !== "success" && words && (
          <a href={hrefTo({ page: "form" })} data-testid="edit-again" onClick={() => beginWith(words)}>
            {negotiation.editAgain}
          </a>
        )}
        <a href={hrefTo({ page: "form" })} onClick={() => beginWith("")}>
          {texts.again}
        </a>
        {source === "live" && demandId && <a href={hrefTo({ page: "replay", demandId })}>{texts.replay}</a>}
      </p>
    </div>
  );
}
