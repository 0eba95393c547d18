import { useState } from "react";
import { client } from "../../api/client";
import { asProblem } from "../../api/problem";
import type { AgentView } from "../../api/types";
import { useResource } from "../../hooks/useResource";
import { useLang, useTexts } from "../../i18n";
import { isolated } from "../../i18n/formats";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { ProblemNote } from "../../ui/ProblemNote";
import { problemLine } from "../../ui/problemWords";
import { Skeleton } from "../../ui/Skeleton";
import { useToast } from "../../ui/Toast";
import { AgentForm } from "./AgentForm";
import { AgentProfile } from "./AgentProfile";

/** One agent as the node has it now: to read, to edit, to leave out. */
export function AgentDetails({ agentId }: { readonly agentId: string }) {
  const { agents: t } = useTexts();
  const toast = useToast();
  const { data: agent, problem, reload } = useResource((signal) => client.agent(agentId, signal), [agentId]);
  const [editing, setEditing] = useState(false);
  if (problem) {
    return (
      <ProblemNote title={t.failed} problem={problem} action={<Button onClick={reload}>{t.again}</Button>} />
    );
  }
  if (!agent) return <Skeleton lines={8} />;
  if (editing) {
    return (
      <Card title={t.editTitle(isolated(agent.user_name))}>
        <AgentForm
          key={agent.revision}
          agent={agent}
          onReload={reload}
          onCancel={() => setEditing(false)}
          onSaved={() => {
            setEditing(false);
            reload();
            toast(t.saved, "good");
          }}
        />
      </Card>
    );
  }
  return (
    <Card
      title={<bdi>{agent.user_name}</bdi>}
      aside={
        <>
          <Badge tone={agent.status === "active" ? "good" : "neutral"}>{t.statuses[agent.status]}</Badge>
          <Button size="s" data-testid="agent-edit" onClick={() => setEditing(true)}>
            {t.edit}
          </Button>
          <StatusButton agent={agent} onChanged={reload} />
        </>
      }
      data-testid="agent-profile"
    >
      <AgentProfile agent={agent} />
    </Card>
  );
}

function StatusButton({ agent, onChanged }: { readonly agent: AgentView; readonly onChanged: () => void }) {
  const { agents: t, errors } = useTexts();
  const { lang } = useLang();
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const active = agent.status === "active";
  const change = async () => {
    setBusy(true);
    try {
      await (active ? client.disableAgent(agent.agent_id) : client.enableAgent(agent.agent_id));
      toast(active ? t.disabled : t.enabled, "good");
      onChanged();
    } catch (thrown) {
      toast(problemLine(asProblem(thrown), errors, lang), "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button
      size="s"
      variant={active ? "danger" : "plain"}
      busy={busy}
      data-testid={active ? "agent-disable" : "agent-enable"}
      onClick={() => void change()}
    >
      {active ? t.disable : t.enable}
    </Button>
  );
}
