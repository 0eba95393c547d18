import { type FormEvent, useId, useState } from "react";
import { useStore } from "zustand";
import { useTexts } from "../i18n";
import { isSendable, session } from "../state/session";
import { Button, Dialog, Field } from "../ui";

/** Asks for the key that a request needs; whoever asked goes on with it, or learns that there is none. */
export function KeyDialog() {
  const { shell } = useTexts();
  const asked = useStore(session, (state) => state.keyAsked);
  const refused = useStore(session, (state) => state.keyRefused);
  const answer = useStore(session, (state) => state.answer);
  const { key } = shell;
  const admin = asked === "admin";
  return (
    <Dialog
      data-testid="key-dialog"
      open={asked !== null}
      title={admin ? key.adminTitle : key.apiTitle}
      onClose={() => answer(null)}
    >
      <p>{admin ? key.adminWhy : key.apiWhy}</p>
      <KeyForm
        key={`${asked} ${refused}`}
        label={admin ? key.adminLabel : key.apiLabel}
        testId={admin ? "admin-key" : "api-key"}
        refused={refused}
        answer={answer}
      />
    </Dialog>
  );
}

interface KeyFormProps {
  readonly label: string;
  readonly testId: string;
  readonly refused: boolean;
  readonly answer: (key: string | null) => void;
}

function KeyForm({ label, testId, refused, answer }: KeyFormProps) {
  const { shell } = useTexts();
  const id = useId();
  const [value, setValue] = useState("");
  const [error, setError] = useState(refused ? shell.key.refused : null);
  const use = (event: FormEvent) => {
    event.preventDefault();
    const key = value.trim();
    if (key === "") setError(shell.key.empty);
    else if (!isSendable(key)) setError(shell.key.unsendable);
    else answer(key);
  };
  return (
    <form id={id} onSubmit={use} noValidate>
      <Field label={label} hint={shell.key.kept} error={error}>
        <input
          type="password"
          autoComplete="off"
          data-testid={testId}
          value={value}
          onChange={(event) => setValue(event.target.value)}
        />
      </Field>
      <p>
        <Button type="submit" variant="primary" data-testid="key-use">
          {shell.key.use}
        </Button>{" "}
        <Button onClick={() => answer(null)}>{shell.cancel}</Button>
      </p>
    </form>
  );
}
