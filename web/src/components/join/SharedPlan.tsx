import type { Invitation } from "../../api/types";
import { useLang, useTexts } from "../../i18n";
import { count, day } from "../../i18n/formats";
import { Badge, Card, Table } from "../../ui";
import styles from "./Join.module.css";
import { OwnPart } from "./OwnPart";

/** The plan as those who take part may know it: who does what and when, and one's own part whole. */
export function SharedPlan({ invitation }: { readonly invitation: Invitation }) {
  const { join } = useTexts();
  const { lang } = useLang();
  const plan = invitation.proposal;
  if (!plan) return null;
  return (
    <Card
      title={join.plan}
      data-testid="join-plan"
      aside={<Badge>{join.version(count(plan.version, lang))}</Badge>}
    >
      <p>{plan.objective}</p>
      <OwnPart assignments={invitation.your_assignments} />
      <Table caption={join.planCaption} head={[join.who, join.role, join.task]}>
        {plan.assignments.map((one) => (
          <tr key={`${one.agent_id} ${one.role}`}>
            <th scope="row">
              {one.display_name}{" "}
              {one.agent_id === invitation.agent_id && <Badge tone="info">{join.you}</Badge>}
            </th>
            <td>{one.role}</td>
            <td>{one.responsibility}</td>
          </tr>
        ))}
      </Table>
      {plan.timeline.milestones.length > 0 && (
        <div>
          <h3 className={styles.label}>{join.milestones}</h3>
          <ul className={styles.lines}>
            {plan.timeline.milestones.map((one) => (
              <li key={`${one.date} ${one.name}`}>
                {day(one.date, lang)} · {one.name}
              </li>
            ))}
          </ul>
        </div>
      )}
    </Card>
  );
}
