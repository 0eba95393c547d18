import { type FormEvent, useState } from "react";
import { client } from "../../api/client";
import { useTexts } from "../../i18n";
import { Button, Field, ProblemNotice } from "../../ui";
import { type ChangeDraft, changeBody, changeFaults } from "./answers";
import styles from "./Join.module.css";
import type { AnswerFormProps } from "./OfferForm";
import { useAnswer } from "./useAnswer";

const FIELDS = ["price", "date", "requires", "drop_role", "adjustment_request"];
const BLANK: ChangeDraft = { price: "", date: "", requires: "", dropRole: "", words: "" };

/** What should be different in one's own part of the plan. */
export function ChangeForm({ invitation, token, counted }: AnswerFormProps) {
  const { join } = useTexts();
  const { changes: texts } = join;
  const { busy, problem, faults, refuse, changed, send } = useAnswer(invitation, FIELDS, counted);
  const [draft, setDraft] = useState(BLANK);
  const set = (name: keyof ChangeDraft) => (event: { target: { value: string } }) =>
    setDraft((before) => ({ ...before, [name]: event.target.value }));
  const answer = (event: FormEvent) => {
    event.preventDefault();
    if (refuse(changeFaults(draft, join))) return;
    const body = changeBody(draft, invitation.round);
    void send("negotiate", () => client.feedback(invitation.channel_id, token, body));
  };
  return (
    <form className={styles.form} data-testid="join-changes" noValidate onSubmit={answer} onChange={changed}>
      <h3>{texts.title}</h3>
      <div className={styles.facts}>
        <Field label={join.optional(join.yourPrice)} error={faults.price}>
          <input inputMode="decimal" data-testid="change-price" value={draft.price} onChange={set("price")} />
        </Field>
        <Field label={join.optional(texts.date)} error={faults.date}>
          <input type="date" value={draft.date} onChange={set("date")} />
        </Field>
        <Field label={join.optional(texts.dropRole)} error={faults.drop_role}>
          <select value={draft.dropRole} onChange={set("dropRole")}>
            <option value="">{texts.keepAll}</option>
            {invitation.your_assignments.map(({ role }) => (
              <option key={role}>{role}</option>
            ))}
          </select>
        </Field>
      </div>
      <Field label={join.optional(texts.requires)} hint={texts.requiresHint} error={faults.requires}>
        <input maxLength={60} value={draft.requires} onChange={set("requires")} />
      </Field>
      <Field label={join.optional(texts.words)} error={faults.adjustment_request}>
        <textarea
          rows={3}
          maxLength={2000}
          data-testid="change-words"
          value={draft.words}
          onChange={set("words")}
        />
      </Field>
      {problem && <ProblemNotice problem={problem} />}
      <p>
        <Button type="submit" variant="primary" data-testid="change-send" busy={busy}>
          {texts.send}
        </Button>
      </p>
    </form>
  );
}
