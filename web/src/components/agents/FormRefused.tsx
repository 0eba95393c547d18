import { useLang, useTexts } from "../../i18n";
import { told } from "../../i18n/joins";
import { Button } from "../../ui/Button";
import { problemWords } from "../../ui/problemWords";
import styles from "./Agents.module.css";
import { elsewhere, fieldsOf } from "./draftErrors";
import type { AgentForm } from "./useAgentForm";

/** Why nothing was saved: what cannot be said at a field. */
export function FormRefused({ form, onReload }: { readonly form: AgentForm; readonly onReload: () => void }) {
  const { agents: t, errors: words } = useTexts();
  const { lang } = useLang();
  const { problem, errors, draft, mode } = form;
  const atFields = mode === "form" ? fieldsOf(draft) : [];
  return (
    <div role="alert">
      {!problem && Object.keys(errors).length > 0 && mode === "form" && (
        <p className={styles.refused}>{t.errors.fix}</p>
      )}
      {problem?.code === "CONFLICT" && (
        <div className={styles.refused} data-testid="agent-conflict">
          <p>
            <strong>{t.conflict}</strong>
          </p>
          <p>{problem.why}</p>
          <p>{t.conflictHint}</p>
          <Button size="s" onClick={onReload}>
            {t.reload}
          </Button>
        </div>
      )}
      {problem && problem.code !== "CONFLICT" && (
        <div className={styles.refused} data-testid="agent-refused">
          <p>
            <strong>{told([t.notSaved, problemWords(problem, words).message], lang)}</strong>
          </p>
          <ul className={styles.plainList}>
            {elsewhere(errors, atFields).map((line) => (
              <li key={line}>{line}</li>
            ))}
          </ul>
          {problem.code !== "INVALID_INPUT" && <p>{problemWords(problem, words).why}</p>}
        </div>
      )}
    </div>
  );
}
