import { useTexts } from "../../i18n";
import { Field } from "../../ui/Field";
import styles from "./Agents.module.css";
import { type AgentDraft, EVERY_DAY } from "./draft";
import type { FieldErrors } from "./draftErrors";

export interface CalendarFieldsProps {
  readonly draft: AgentDraft;
  readonly errors: FieldErrors;
  readonly onChange: (change: Partial<AgentDraft>) => void;
}

/** On which days it works, and how long before it must know. */
export function CalendarFields({ draft, errors, onChange }: CalendarFieldsProps) {
  const { agents: t } = useTexts();
  const toggle = (day: number, on: boolean) =>
    onChange({ weekdays: EVERY_DAY.filter((one) => (one === day ? on : draft.weekdays.includes(one))) });
  return (
    <div className={styles.fields}>
      <fieldset className={styles.wide}>
        <legend>{t.weekdays}</legend>
        <div className={styles.days}>
          {EVERY_DAY.map((day) => (
            <label key={day} className={styles.check}>
              <input
                type="checkbox"
                checked={draft.weekdays.includes(day)}
                onChange={(event) => toggle(day, event.target.checked)}
              />
              {t.weekday[day]}
            </label>
          ))}
        </div>
      </fieldset>
      <Field label={t.leadDays} error={errors["capabilities.calendar.lead_days"]}>
        <input
          inputMode="numeric"
          value={draft.leadDays}
          onChange={(event) => onChange({ leadDays: event.target.value })}
        />
      </Field>
    </div>
  );
}
