import { useState } from "react";
import { client } from "../../api/client";
import { useTexts } from "../../i18n";
import { Button, Icon, ProblemNotice } from "../../ui";
import { ChangeForm } from "./ChangeForm";
import styles from "./Join.module.css";
import type { AnswerFormProps } from "./OfferForm";
import { useAnswer } from "./useAnswer";
import { WithdrawDialog } from "./WithdrawDialog";

/** The answer to a plan: accept it, ask for a change, or leave; the last one is yes or no. */
export function ReviewForm({ invitation, token, counted }: AnswerFormProps) {
  const { join } = useTexts();
  const { busy, problem, send } = useAnswer(invitation, [], counted);
  const [open, setOpen] = useState<"change" | "withdraw" | null>(null);
  const { channel_id: channelId, round, last_word: last } = invitation;
  const accept = () =>
    send("accept", () => client.feedback(channelId, token, { feedback_type: "accept", round }));
  const withdraw = (reasoning: string) => {
    setOpen(null);
    const reason = reasoning.trim() ? { reasoning: reasoning.trim() } : {};
    const body = { feedback_type: "withdraw", round, ...reason } as const;
    void send(last ? "decline" : "withdraw", () => client.feedback(channelId, token, body));
  };
  return (
    <div className={styles.form}>
      {last && <p data-testid="join-last-word">{join.lastWord.hint}</p>}
      <p className={styles.actions}>
        <Button variant="primary" data-testid="join-accept" busy={busy} onClick={accept}>
          <Icon name="check" />
          {join.accept}
        </Button>
        {!last && (
          <Button
            data-testid="join-negotiate"
            aria-expanded={open === "change"}
            onClick={() => setOpen(open === "change" ? null : "change")}
          >
            <Icon name="edit" />
            {join.negotiate}
          </Button>
        )}
        <Button variant="danger" data-testid="join-withdraw" onClick={() => setOpen("withdraw")}>
          {last ? join.lastWord.no : join.withdraw}
        </Button>
      </p>
      {problem && <ProblemNotice problem={problem} />}
      {open === "change" && !last && <ChangeForm invitation={invitation} token={token} counted={counted} />}
      <WithdrawDialog
        last={last}
        open={open === "withdraw"}
        close={() => setOpen(null)}
        withdraw={withdraw}
      />
    </div>
  );
}
