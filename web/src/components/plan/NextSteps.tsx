import { hrefTo } from "../../hooks/useHashRoute";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { useBeside } from "../negotiation/beside";
import styles from "./EndCard.module.css";

interface Props {
  readonly phase: "success" | "partial" | "compromise" | "failed" | "cancelled";
  readonly suggestions: readonly string[];
}

export function NextSteps({ phase, suggestions }: Props) {
  const { end: texts } = useTexts().plan;
  const demandId = useNegotiation((state) => state.demandId);
  const { source } = useBeside();
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
      <ul>
        {suggestions.map((one) => (
          <li key={one} dir="auto">
            {one}
          </li>
        ))}
      </ul>
      <p className={styles.links}>
        <a href={hrefTo({ page: "form" })}>{texts.again}</a>
        {source === "live" && demandId && <a href={hrefTo({ page: "replay", demandId })}>{texts.replay}</a>}
      </p>
    </div>
  );
}
