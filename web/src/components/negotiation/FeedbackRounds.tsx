import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { Card } from "../../ui/Card";
import { FeedbackBar } from "./FeedbackBar";
import styles from "./FeedbackBar.module.css";

/** What the participants said to each version of the plan. */
export function FeedbackRounds() {
  const { feedback: texts } = useTexts().negotiation;
  const rounds = useNegotiation((state) => state.rounds);
  const plans = useNegotiation((state) => state.plans);
  const asked = (round: number) => {
    const plan = plans.findLast((one) => one.round === round)?.proposal;
    return new Set(plan?.assignments.map((one) => one.agent_id)).size;
  };
  return (
    <Card title={texts.title} data-testid="feedback-rounds">
      {rounds.length === 0 && <p className={styles.empty}>{texts.empty}</p>}
      {rounds.map((round) => (
        <FeedbackBar key={round.round} round={round} asked={asked(round.round)} />
      ))}
    </Card>
  );
}
