import { client } from "../../api/client";
import { Problem } from "../../api/problem";
import type { AgentView } from "../../api/types";
import { useResource } from "../../hooks/useResource";
import { useSettled } from "../../hooks/useSettled";
import { useTexts } from "../../i18n";
import { session } from "../../state/session";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/Empty";
import { Field } from "../../ui/Field";
import { ProblemNote } from "../../ui/ProblemNote";
import { Skeleton } from "../../ui/Skeleton";
import styles from "./Agents.module.css";
import { AgentTable } from "./AgentTable";

const TYPING_MS = 250;

export interface AgentSearchProps {
  readonly text: string;
  readonly onText: (text: string) => void;
  readonly onOpen: (agentId: string) => void;
  readonly onAdd: () => void;
}

/** The agents that the node finds; without a text, all of them. */
export function AgentSearch({ text, onText, onOpen, onAdd }: AgentSearchProps) {
  const { agents: t } = useTexts();
  const asked = useSettled(text.trim(), TYPING_MS);
  const { data, problem, reload } = useResource((signal) => agentsWithKey(asked, signal), [asked]);
  const locked = problem?.status === 401 || problem?.status === 403;
  if (locked) {
    const refused = session.getState().adminKey !== null;
    return (
      <Empty
        title={refused ? t.keyRefused : t.needsKey}
        action={
          <Button variant="primary" onClick={reload}>
            {t.giveKey}
          </Button>
        }
      >
        {t.needsKeyHint}
      </Empty>
    );
  }
  const add = (
    <Button variant="primary" data-testid="agent-add" onClick={onAdd}>
      {t.add}
    </Button>
  );
  return (
    <Card aria-label={t.title}>
      <div className={styles.bar}>
        <Field label={t.search} className={styles.search ?? ""}>
          <input
            type="search"
            data-testid="agent-search"
            placeholder={t.searchHint}
            value={text}
            onChange={(event) => onText(event.target.value)}
          />
        </Field>
        {add}
      </div>
      {problem && (
        <ProblemNote
          title={t.failed}
          problem={problem}
          action={<Button onClick={reload}>{t.again}</Button>}
        />
      )}
      {!data && !problem && <Skeleton lines={6} />}
      {data && data.length > 0 && <AgentTable agents={data} onOpen={onOpen} />}
      {data?.length === 0 && asked !== "" && (
        <Empty title={t.nothingFound} action={<Button onClick={() => onText("")}>{t.clear}</Button>}>
          {t.nothingFoundHint}
        </Empty>
      )}
      {data?.length === 0 && asked === "" && <Empty title={t.empty}>{t.emptyHint}</Empty>}
    </Card>
  );
}

/** The key is asked for before the first request, which would be refused without it. */
async function agentsWithKey(text: string, signal: AbortSignal): Promise<readonly AgentView[]> {
  const { adminKey, ask } = session.getState();
  if (adminKey === null && !(await ask("admin"))) {
    throw new Problem({ code: "UNAUTHENTICATED", status: 401 });
  }
  signal.throwIfAborted();
  return client.agents(text, signal);
}
