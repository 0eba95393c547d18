import { memo, useId, useState } from "react";
import { useTexts } from "../../i18n";
import type { FeedbackState, RoundState } from "../../state/model";
import { Badge, type Tone } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import styles from "./FeedbackBar.module.css";
import { LongText } from "./LongText";
import { PARTS, type Part, partOf, sharesOf } from "./tally";

interface Props {
  readonly round: RoundState;
  /** How many are in the plan of that round. */
  readonly asked: number;
}

/** One round: its parts as lengths and as numbers, and the words behind them. */
export const FeedbackBar = memo(function FeedbackBar({ round, asked }: Props) {
  const { negotiation } = useTexts();
  const texts = negotiation.feedback;
  const { counts, total, provisional, acceptRate } = sharesOf(round, asked);
  const id = useId();
  return (
    <section className={styles.round} data-testid={`feedback-bar-${round.round}`} aria-labelledby={id}>
      <div className={styles.head}>
        <h3 id={id}>{negotiation.roundOf(round.round)}</h3>
        <span className={styles.note} data-provisional={provisional}>
          {provisional ? texts.provisional : texts.counted}
          {acceptRate !== null && ` · ${texts.rate(Math.round(acceptRate * 100))}`}
        </span>
      </div>
      <div className={styles.bar} aria-hidden="true">
        {PARTS.map((part) => (
          <span key={part} data-part={part} style={{ flexGrow: total > 0 ? counts[part] : 0 }} />
        ))}
      </div>
      <ul className={styles.parts} aria-label={texts.chart(round.round)}>
        {PARTS.filter((part) => part !== "pending" || provisional).map((part) => (
          <Share key={part} part={part} count={counts[part]} />
        ))}
      </ul>
      {round.feedback.length > 0 && <Words feedback={round.feedback} />}
    </section>
  );
});

function Share({ part, count }: { readonly part: Part; readonly count: number }) {
  const { parts } = useTexts().negotiation.feedback;
  return (
    <li data-testid={`part-${part}`} data-count={count} data-none={count === 0}>
      <i data-part={part} aria-hidden="true" />
      {parts[part]} <strong>{count}</strong>
    </li>
  );
}

const TONE: Readonly<Record<Part, Tone>> = {
  explicit: "good",
  default: "neutral",
  negotiate: "warn",
  withdraw: "bad",
  silent: "neutral",
  pending: "neutral",
};

function Words({ feedback }: { readonly feedback: readonly FeedbackState[] }) {
  const { feedback: texts } = useTexts().negotiation;
  const [open, setOpen] = useState(false);
  return (
    <div>
      <Button
        variant="ghost"
        size="s"
        aria-expanded={open}
        data-testid="words-toggle"
        onClick={() => setOpen(!open)}
      >
        {open ? texts.hide : texts.words(feedback.length)}
      </Button>
      {open && (
        <ul className={styles.words}>
          {feedback.map((one) => (
            <li key={one.eventId} data-testid={`feedback-${one.agentId}`}>
              <div className={styles.who}>
                <bdi>{one.displayName}</bdi>
                <Badge tone={TONE[partOf(one)]}>{texts.parts[partOf(one)]}</Badge>
              </div>
              <LongText text={one.reasoning || (one.byDefault ? texts.byDefault : "")} />
              {one.request && one.request !== one.reasoning && (
                <p className={styles.asks}>
                  {texts.asks} · <LongText text={one.request} />
                </p>
              )}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
