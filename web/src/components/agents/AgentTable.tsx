import type { AgentView } from "../../api/types";
import { useTexts } from "../../i18n";
import { Badge } from "../../ui/Badge";
import { Table } from "../../ui/Table";
import styles from "./Agents.module.css";

/** A node may know thousands; a reader who wants another one searches. */
const MOST_ROWS = 200;
const MOST_TAGS = 6;

export interface AgentTableProps {
  readonly agents: readonly AgentView[];
  readonly onOpen: (agentId: string) => void;
}

export function AgentTable({ agents, onOpen }: AgentTableProps) {
  const { agents: t } = useTexts();
  return (
    <>
      <p className={styles.muted} role="status">
        {agents.length > MOST_ROWS ? t.first(MOST_ROWS, agents.length) : t.shown(agents.length)}
      </p>
      <Table caption={t.caption} head={[t.name, t.status, t.tags, t.city, t.origin]} data-testid="agent-list">
        {agents.slice(0, MOST_ROWS).map((agent) => (
          <tr key={agent.agent_id} data-testid={`agent-${agent.agent_id}`} data-status={agent.status}>
            <th scope="row">
              <button type="button" className={styles.name} onClick={() => onOpen(agent.agent_id)}>
                <bdi>{agent.user_name}</bdi>
              </button>
              <span className={styles.id}>{agent.agent_id}</span>
            </th>
            <td>
              <Badge tone={agent.status === "active" ? "good" : "neutral"}>{t.statuses[agent.status]}</Badge>
            </td>
            <td>
              <span className={styles.tags}>
                {agent.tags.slice(0, MOST_TAGS).map((tag) => (
                  <Badge key={tag}>{tag}</Badge>
                ))}
                {agent.tags.length > MOST_TAGS && (
                  <span className={styles.muted}>+{agent.tags.length - MOST_TAGS}</span>
                )}
              </span>
            </td>
            <td dir="auto">{agent.location}</td>
            <td>{t.origins[agent.origin]}</td>
          </tr>
        ))}
      </Table>
    </>
  );
}
