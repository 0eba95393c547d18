import { useNegotiation } from "../../hooks/useNegotiation";
import { useLang, useTexts } from "../../i18n";
import { listed } from "../../i18n/formats";
import { offeredTo } from "../../state/openPlaces";
import { Badge } from "../../ui/Badge";
import { Agreement } from "./Agreement";
import styles from "./Header.module.css";
import { answeredOf, PHASE_TONE } from "./phase";

/** Where the negotiation stands, in a word and in a sentence. */
export function StateLine() {
  const { phases } = useTexts().negotiation;
  const phase = useNegotiation((state) => state.phase);
  const words = useStateText();
  const more = useMore();
  return (
    <div className={styles.state}>
      <Badge tone={PHASE_TONE[phase]}>{phases[phase].label}</Badge>
      <p data-testid="state-text">
        {words} {more && <span className={styles.more}>{more}</span>}
        <Agreement />
      </p>
    </div>
  );
}

/** The sentence of a state. A negotiation begins with the first offer, before there is a plan to speak of. */
export function useStateText(): string {
  const { phases, more } = useTexts().negotiation;
  const { lang } = useLang();
  const phase = useNegotiation((state) => state.phase);
  const planned = useNegotiation((state) => state.round > 0 || state.plans.length > 0);
  const closed = useNegotiation((state) => state.offersClosed);
  const offered = useNegotiation((state) =>
    listed(
      offeredTo(state).map((one) => one.displayName),
      lang,
    ),
  );
  if (phase === "negotiating" && offered) return more.offering(offered);
  if (phase !== "negotiating" || planned) return phases[phase].text;
  return closed ? more.aggregating : more.collecting;
}

/** How many have answered so far, or why it failed in the node's words. */
function useMore(): string {
  const { more } = useTexts().negotiation;
  const collecting = useNegotiation(
    (state) => state.invited > 0 && !state.offersClosed && state.plans.length === 0 && !state.ending,
  );
  const answered = useNegotiation(answeredOf);
  const invited = useNegotiation((state) => state.invited);
  const message = useNegotiation((state) => state.ending?.message);
  return collecting ? more.answers(answered, invited) : (message ?? "");
}
