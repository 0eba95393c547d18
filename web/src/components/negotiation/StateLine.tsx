import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { Badge } from "../../ui/Badge";
import styles from "./Header.module.css";
import { answeredOf, PHASE_TONE } from "./phase";

/** Where the negotiation stands, in a word and in a sentence. */
export function StateLine() {
  const { phases } = useTexts().negotiation;
  const phase = useNegotiation((state) => state.phase);
  const more = useMore();
  return (
    <div className={styles.state}>
      <Badge tone={PHASE_TONE[phase]}>{phases[phase].label}</Badge>
      <p data-testid="state-text">
        {phases[phase].text} {more && <span className={styles.more}>{more}</span>}
      </p>
    </div>
  );
}

/** Where exactly a phase stands, or why it failed in the node's words. */
function useMore(): string {
  const { more } = useTexts().negotiation;
  const phase = useNegotiation((state) => state.phase);
  const answered = useNegotiation(answeredOf);
  const invited = useNegotiation((state) => state.invited);
  const closed = useNegotiation((state) => state.offersClosed);
  const message = useNegotiation((state) => state.ending?.message);
  if (phase === "searching" && closed) return more.aggregating;
  if (phase === "searching" && invited > 0) return more.answers(answered, invited);
  return message ?? "";
}
