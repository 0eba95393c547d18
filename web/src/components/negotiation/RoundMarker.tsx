import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import styles from "./Header.module.css";

export function RoundMarker() {
  const { round, noRound } = useTexts().negotiation;
  const current = useNegotiation((state) => state.round);
  const most = useNegotiation((state) => state.maxRounds);
  return (
    <span className={styles.round} data-testid="round-marker">
      {current === 0 ? noRound(most) : round(current, most)}
      <span className={styles.pips} aria-hidden="true">
        {Array.from({ length: most }, (_, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a place has no other identity
          <i key={index} data-on={index < current} />
        ))}
      </span>
    </span>
  );
}
