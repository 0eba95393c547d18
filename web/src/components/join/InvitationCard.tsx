import type { Invitation } from "../../api/types";
import { useLang, useTexts } from "../../i18n";
import { Card } from "../../ui";
import { limitsOf } from "../form/limits";
import styles from "./Join.module.css";

/** What it is about: the demand as everybody may know it. */
export function InvitationCard({ invitation }: { readonly invitation: Invitation }) {
  const { join, form } = useTexts();
  const { lang } = useLang();
  const { demand } = invitation;
  const limits = demand ? limitsOf(demand, form.understanding, lang) : [];
  return (
    <Card title={join.demand} data-testid="invitation">
      {demand && <p className={styles.surface}>{demand.surface_demand}</p>}
      <div>
        <h3 className={styles.label}>{join.youAs}</h3>
        <ul className={styles.tags}>
          {invitation.capability_tags.map((tag) => (
            <li key={tag}>{tag}</li>
          ))}
        </ul>
      </div>
      <dl className={styles.facts}>
        {limits
          .filter(({ field }) => field !== "budget")
          .map(({ field, label, value }) => (
            <div key={field}>
              <dt className={styles.label}>{label}</dt>
              <dd>{value ?? form.understanding.open}</dd>
            </div>
          ))}
      </dl>
      <p className={styles.note}>{join.noBudget}</p>
    </Card>
  );
}
