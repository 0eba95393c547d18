import { useEffect, useRef, useState } from "react";
import { AgentDetails } from "../components/agents/AgentDetails";
import { AgentForm } from "../components/agents/AgentForm";
import { AgentSearch } from "../components/agents/AgentSearch";
import { useTexts } from "../i18n";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { Icon } from "../ui/Icon";
import { useToast } from "../ui/Toast";

type Shown =
  | { readonly kind: "list" }
  | { readonly kind: "add" }
  | { readonly kind: "agent"; readonly id: string };

/** The registry of the node, for its owner. The node has the truth: after each change it is asked again. */
export function AgentsPage() {
  const { agents: t } = useTexts();
  const toast = useToast();
  const [shown, setShown] = useState<Shown>({ kind: "list" });
  const [text, setText] = useState("");
  const heading = useRef<HTMLHeadingElement>(null);
  const toList = () => setShown({ kind: "list" });
  useFocusOnChange(heading, shown);
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {t.title}
      </h1>
      {shown.kind !== "list" && (
        <div>
          <Button size="s" data-testid="agent-back" onClick={toList}>
            <Icon name="arrow-left" /> {t.back}
          </Button>
        </div>
      )}
      {shown.kind === "list" && (
        <AgentSearch
          text={text}
          onText={setText}
          onOpen={(id) => setShown({ kind: "agent", id })}
          onAdd={() => setShown({ kind: "add" })}
        />
      )}
      {shown.kind === "agent" && <AgentDetails key={shown.id} agentId={shown.id} />}
      {shown.kind === "add" && (
        <Card title={t.addTitle}>
          <AgentForm
            agent={null}
            onReload={toList}
            onCancel={toList}
            onSaved={(agent) => {
              toast(t.saved, "good");
              setShown({ kind: "agent", id: agent.agent_id });
            }}
          />
        </Card>
      )}
    </>
  );
}

/** What had the focus is gone with the part that was shown before. */
function useFocusOnChange(heading: { readonly current: HTMLElement | null }, shown: Shown): void {
  const before = useRef(shown);
  useEffect(() => {
    if (before.current !== shown) heading.current?.focus();
    before.current = shown;
  }, [heading, shown]);
}
