import { type FormEvent, useState } from "react";
import { client } from "../../api/client";
import type { Invitation } from "../../api/types";
import { useTexts } from "../../i18n";
import { Button, Field, Icon, ProblemNotice } from "../../ui";
import { type Answer, type OfferDraft, offerBody, offerFaults } from "./answers";
import { DecisionChoice } from "./DecisionChoice";
import styles from "./Join.module.css";
import { OfferTerms } from "./OfferTerms";
import { useAnswer } from "./useAnswer";

export interface AnswerFormProps {
  readonly invitation: Invitation;
  readonly token: string;
  readonly counted: (answer: Answer) => void;
}

const FIELDS = ["contribution", "price", "currency", "dates", "conditions", "decline_reason", "reasoning"];

/** The answer to the invitation: take part, on conditions, or not. */
export function OfferForm({ invitation, token, counted }: AnswerFormProps) {
  const { join } = useTexts();
  const { busy, problem, faults, refuse, changed, send } = useAnswer(invitation, FIELDS, counted);
  const [draft, setDraft] = useState<OfferDraft>({
    decision: "participate",
    contribution: "",
    price: "",
    currency: invitation.demand?.constraints.currency ?? "CNY",
    dates: [],
    conditions: "",
    declineReason: "",
    reasoning: "",
  });
  const change = (part: Partial<OfferDraft>) => setDraft((before) => ({ ...before, ...part }));
  const answer = (event: FormEvent) => {
    event.preventDefault();
    if (refuse(offerFaults(draft, join))) return;
    void send(draft.decision, () =>
      client.offer(invitation.channel_id, token, offerBody(draft, invitation.round)),
    );
  };
  return (
    <form className={styles.form} data-testid="join-offer" noValidate onSubmit={answer} onChange={changed}>
      <DecisionChoice decision={draft.decision} change={(decision) => change({ decision })} />
      {draft.decision === "decline" ? (
        <Field label={join.optional(join.declineReason)} error={faults.decline_reason}>
          <textarea
            maxLength={2000}
            rows={3}
            value={draft.declineReason}
            onChange={(event) => change({ declineReason: event.target.value })}
          />
        </Field>
      ) : (
        <OfferTerms draft={draft} faults={faults} change={change} />
      )}
      {problem && <ProblemNotice problem={problem} />}
      <p>
        <Button type="submit" variant="primary" data-testid="join-send" busy={busy}>
          <Icon name="send" />
          {join.sendOffer}
        </Button>
      </p>
    </form>
  );
}
