import { useRef } from "react";
import type { AgentView } from "../../api/types";
import { useTexts } from "../../i18n";
import { Button } from "../../ui/Button";
import { Field } from "../../ui/Field";
import { Tabs } from "../../ui/Tabs";
import { AgentFields } from "./AgentFields";
import styles from "./Agents.module.css";
import { CalendarFields } from "./CalendarFields";
import { newOffer } from "./draft";
import { FormRefused } from "./FormRefused";
import { OfferFields } from "./OfferFields";
import { type AgentForm as Form, useAgentForm } from "./useAgentForm";

export interface AgentFormProps {
  /** Null: a new agent. */
  readonly agent: AgentView | null;
  readonly onSaved: (agent: AgentView) => void;
  readonly onCancel: () => void;
  /** Read the newest version after somebody else's edit. */
  readonly onReload: () => void;
}

/** The whole profile, in fields or as JSON; the node has the last word on it. */
export function AgentForm({ agent, onSaved, onCancel, onReload }: AgentFormProps) {
  const { agents: t } = useTexts();
  const form = useAgentForm(agent, onSaved);
  return (
    <form
      className={styles.form}
      noValidate
      data-testid="agent-form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!form.busy) void form.submit();
      }}
    >
      <FormRefused form={form} onReload={onReload} />
      <Tabs
        label={t.modeLabel}
        current={form.mode}
        onChange={form.switchTo}
        tabs={[
          { id: "form", label: t.modes.form },
          { id: "json", label: t.modes.json, testId: "agent-json-tab" },
        ]}
      >
        {(mode) =>
          mode === "form" ? <Fields form={form} known={agent !== null} /> : <Written form={form} />
        }
      </Tabs>
      <div className={styles.buttons}>
        <Button type="submit" variant="primary" busy={form.busy} data-testid="agent-save">
          {t.save}
        </Button>
        <Button onClick={onCancel}>{t.cancel}</Button>
      </div>
    </form>
  );
}

function Fields({ form, known }: { readonly form: Form; readonly known: boolean }) {
  const { agents: t } = useTexts();
  const { draft, errors, change } = form;
  const add = useRef<HTMLButtonElement>(null);
  const remove = (index: number) => {
    change({ offers: draft.offers.toSpliced(index, 1) });
    add.current?.focus(); // the button that had the focus goes with its row
  };
  return (
    <div className={styles.form}>
      <AgentFields draft={draft} errors={errors} known={known} onChange={change} />
      <h3>{t.offers}</h3>
      {draft.offers.map((offer, index) => (
        <OfferFields
          key={offer.row}
          offer={offer}
          index={index}
          errors={errors}
          onChange={(changed) => change({ offers: draft.offers.with(index, changed) })}
          onRemove={() => remove(index)}
        />
      ))}
      <div>
        <Button
          ref={add}
          size="s"
          data-testid="offer-add"
          onClick={() => change({ offers: [...draft.offers, newOffer()] })}
        >
          {t.addOffer}
        </Button>
      </div>
      <h3>{t.calendar}</h3>
      <CalendarFields draft={draft} errors={errors} onChange={change} />
    </div>
  );
}

function Written({ form }: { readonly form: Form }) {
  const { agents: t } = useTexts();
  return (
    <Field label={t.json} hint={t.jsonHint} error={form.jsonError}>
      <textarea
        className={styles.json}
        spellCheck={false}
        data-testid="agent-json"
        value={form.json}
        onChange={(event) => form.write(event.target.value)}
      />
    </Field>
  );
}
