import { useTexts } from "../../i18n";
import { Field } from "../../ui/Field";
import styles from "./Agents.module.css";
import type { AgentDraft } from "./draft";
import { type FieldErrors, lengthOf } from "./draftErrors";

export interface AgentFieldsProps {
  readonly draft: AgentDraft;
  readonly errors: FieldErrors;
  /** The id of an agent that is there already cannot change. */
  readonly known: boolean;
  readonly onChange: (change: Partial<AgentDraft>) => void;
}

/** Who the agent is, in words and tags. */
export function AgentFields({ draft, errors, known, onChange }: AgentFieldsProps) {
  const { agents: t } = useTexts();
  const text = (key: "userName" | "location" | "tags" | "interests" | "languages" | "availability") => ({
    value: draft[key],
    onChange: (event: { target: { value: string } }) => onChange({ [key]: event.target.value }),
  });
  return (
    <div className={styles.fields}>
      <Field label={t.id} hint={t.idHint} error={errors.agent_id}>
        <input
          readOnly={known}
          value={draft.agentId}
          data-testid="agent-field-id"
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => onChange({ agentId: event.target.value })}
        />
      </Field>
      <Field label={t.name} error={errors.user_name}>
        <input {...text("userName")} data-testid="agent-field-name" maxLength={80} autoComplete="off" />
      </Field>
      <Field label={t.city} error={errors.location}>
        <input {...text("location")} data-testid="agent-field-city" maxLength={60} autoComplete="off" />
      </Field>
      <Field label={t.tags} hint={t.listHint} error={errors.tags}>
        <input {...text("tags")} data-testid="agent-field-tags" autoComplete="off" />
      </Field>
      <Field
        className={styles.wide ?? ""}
        label={t.summary}
        hint={t.summaryCount(lengthOf(draft.summary))}
        error={errors.profile_summary}
      >
        <textarea
          rows={5}
          value={draft.summary}
          data-testid="agent-field-summary"
          onChange={(event) => onChange({ summary: event.target.value })}
        />
      </Field>
      <Field label={t.languages} hint={t.listHint} error={errors["capabilities.languages"]}>
        <input {...text("languages")} autoComplete="off" />
      </Field>
      <Field label={t.interests} hint={t.listHint} error={errors.interests}>
        <input {...text("interests")} autoComplete="off" />
      </Field>
      <Field label={t.availability} error={errors.availability}>
        <input {...text("availability")} maxLength={500} autoComplete="off" />
      </Field>
      <Field label={t.maxRoles} error={errors["capabilities.max_roles"]}>
        <input
          inputMode="numeric"
          value={draft.maxRoles}
          onChange={(event) => onChange({ maxRoles: event.target.value })}
        />
      </Field>
    </div>
  );
}
