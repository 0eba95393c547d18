import type { FormEvent } from "react";
import type { Understanding } from "../../api/types";
import { useTexts } from "../../i18n";
import { Button, Field, Icon, ProblemNotice } from "../../ui";
import { type EditField, MOST_TAGS } from "./confirmEdits";
import { MOST_TAG_LENGTH } from "./newDemand";
import { TagEditor } from "./TagEditor";
import styles from "./Understanding.module.css";
import { useConfirm } from "./useConfirm";

export interface ConfirmFormProps {
  readonly demandId: string;
  readonly understanding: Understanding;
}

/** The requester's word: what they change is sent, the rest stays, and the negotiation starts. */
export function ConfirmForm({ demandId, understanding }: ConfirmFormProps) {
  const { understanding: texts } = useTexts().form;
  const { draft, faults, problem, busy, done, change, confirm } = useConfirm(demandId, understanding);
  const send = (event: FormEvent) => {
    event.preventDefault();
    void confirm();
  };
  const words = (field: Exclude<EditField, "capability_tags">, label: string, hint: string) => (
    <Field label={label} hint={hint} error={faults[field]}>
      <input
        data-testid={`edit-${field}`}
        inputMode={field === "expected_attendees" ? "numeric" : "text"}
        maxLength={200}
        autoComplete="off"
        value={draft[field]}
        onChange={(event) => change({ [field]: event.target.value })}
      />
    </Field>
  );
  return (
    <form className={styles.form} noValidate onSubmit={send}>
      <div data-testid="understanding-tags">
        <Field label={texts.tags} error={faults.capability_tags}>
          <TagEditor
            data-testid="edit-capability_tags"
            tags={draft.capability_tags}
            most={MOST_TAGS}
            longest={MOST_TAG_LENGTH}
            change={(capability_tags) => change({ capability_tags })}
          />
        </Field>
      </div>
      <div className={styles.fields} data-testid="understanding-constraints">
        {words("location", texts.where, texts.locationHint)}
        {words("date", texts.when, texts.dateHint)}
        {words("expected_attendees", texts.attendees, texts.attendeesHint)}
        {words("budget", texts.budget, texts.budgetHint)}
      </div>
      {problem && <ProblemNotice problem={problem} />}
      <p>
        <Button type="submit" variant="primary" data-testid="confirm" busy={busy} disabled={done}>
          <Icon name="check" />
          {texts.confirm}
        </Button>
      </p>
    </form>
  );
}
