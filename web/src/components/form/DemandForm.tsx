import { type FormEvent, type KeyboardEvent, useRef } from "react";
import { useLang, useTexts } from "../../i18n";
import { count } from "../../i18n/formats";
import { announce, Button, Field, Icon, ProblemNotice } from "../../ui";
import styles from "./DemandForm.module.css";
import { Examples } from "./Examples";
import { characters, MOST_CHARACTERS } from "./newDemand";
import { People } from "./People";
import { useDemandForm } from "./useDemandForm";

/** A demand in the requester's own words, the people to be asked, and whether to check first. */
export function DemandForm() {
  const { form } = useTexts();
  const { lang } = useLang();
  const { draft, faults, problem, busy, change, submit } = useDemandForm();
  const words = useRef<HTMLTextAreaElement>(null);
  const used = form.count(count(characters(draft.words), lang), count(MOST_CHARACTERS, lang));

  const send = (event?: FormEvent) => {
    event?.preventDefault();
    if (!submit())
      requestAnimationFrame(() => document.querySelector<HTMLElement>('[aria-invalid="true"]')?.focus());
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    send();
  };
  const take = (example: string) => {
    change({ words: example });
    announce(form.exampleTaken);
    words.current?.focus();
  };

  return (
    <form className={styles.form} data-testid="demand-form" noValidate onSubmit={send} onKeyDown={pressed}>
      <Field
        label={form.label}
        error={faults.words}
        hint={
          <span className={styles.hint}>
            <span>{form.hint}</span>
            <span className={styles.count}>{used}</span>
          </span>
        }
      >
        <textarea
          ref={words}
          data-testid="demand-input"
          rows={3}
          lang=""
          required
          placeholder={form.placeholder}
          value={draft.words}
          onChange={(event) => change({ words: event.target.value })}
        />
      </Field>
      <Examples take={take} />
      <People people={draft.people} faults={faults.people} change={(people) => change({ people })} />
      <label className={styles.check}>
        <input
          type="checkbox"
          data-testid="confirm-first"
          checked={draft.confirm}
          onChange={(event) => change({ confirm: event.target.checked })}
        />
        <span>
          {form.confirmFirst}
          <span className={styles.note}>{form.confirmFirstHint}</span>
        </span>
      </label>
      {problem && <ProblemNotice problem={problem} />}
      <div className={styles.send}>
        <Button type="submit" variant="primary" data-testid="submit" busy={busy}>
          <Icon name="send" />
          {busy ? form.submitting : form.submit}
        </Button>
        <span className={styles.note}>{form.submitKey}</span>
      </div>
    </form>
  );
}
