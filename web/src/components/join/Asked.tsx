import { useEffect, useRef } from "react";
import type { Invitation } from "../../api/types";
import { useHotkeys } from "../../hooks/useHotkeys";
import { useTexts } from "../../i18n";
import { announce, Card } from "../../ui";
import { type Answer, afterwards } from "./answers";
import { Countdown } from "./Countdown";
import styles from "./Join.module.css";
import { OfferForm } from "./OfferForm";
import { ReviewForm } from "./ReviewForm";

/** An answer that counts, as this page knows it: the node tells nobody once the negotiation has ended. */
export interface Given {
  readonly question: string | null;
  readonly answer: Answer;
  readonly next: ReturnType<typeof afterwards>;
}

export interface AskedProps {
  readonly invitation: Invitation;
  readonly token: string;
  /** The negotiation has ended: nothing is asked any more. */
  readonly ended: boolean;
  readonly given: Given | null;
  readonly give: (given: Given) => void;
  readonly look: () => void;
}

/** What is asked now, and the answer to it; afterwards that it counts. */
export function Asked({ invitation, token, ended, given, give, look }: AskedProps) {
  const { join, shell } = useTexts();
  const { asked, round, deadline_at: until, last_word: last } = invitation;
  const question = asked ? `${asked} ${round} ${last}` : null;
  const box = useRef<HTMLElement>(null);
  const open = !ended && question !== null && given?.question !== question;

  useEffect(() => {
    if (open) announce(join.announceAsked);
  }, [open, join]);
  const answer = () => box.current?.querySelector<HTMLElement>("input, button")?.focus();
  useHotkeys(open ? [{ keys: "a", label: shell.keyNames.answer, run: answer }] : []);

  const counted = (answered: Answer) => {
    give({ question, answer: answered, next: afterwards(answered, last) });
    look();
    box.current?.focus();
  };
  const title = open && asked ? (last ? "last" : asked) : ended ? "over" : "none";
  const form = { invitation, token, counted };
  return (
    <Card
      ref={box}
      tabIndex={-1}
      tone={open ? "info" : given ? "good" : "neutral"}
      title={join.asked[title]}
      aside={open && until && <Countdown until={until} />}
      data-testid="join-asked"
      data-asked={(open && asked) || "none"}
    >
      {given && <p data-testid="join-counted">{join.counted[given.answer]}</p>}
      {open && asked === "offer" && <OfferForm key={question} {...form} />}
      {open && asked === "review" && <ReviewForm key={question} {...form} />}
      {!open && <p className={styles.note}>{ended ? join.asked.overHint : noted(given, join)}</p>}
    </Card>
  );
}

function noted(
  given: Given | null,
  { afterwards: after, asked }: ReturnType<typeof useTexts>["join"],
): string {
  return given ? after[given.next] : asked.noneHint;
}
