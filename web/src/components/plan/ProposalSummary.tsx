import type { Proposal } from "../../api/types";
import { useLang, useTexts } from "../../i18n";
import { day, money } from "../../i18n/formats";
import { keyed } from "./keyed";
import styles from "./ProposalCard.module.css";

/** A plan in a few lines. */
export function ProposalSummary({ proposal }: { readonly proposal: Proposal }) {
  const { cost, timeline } = useTexts().plan;
  const { lang } = useLang();
  return (
    <div className={styles.part} data-testid="proposal-summary">
      <p dir="auto">{proposal.summary}</p>
      <ul className={styles.plain}>
        {keyed(proposal.assignments, (one) => `${one.agent_id} ${one.role}`).map(([key, one]) => (
          <li key={key}>
            <span dir="auto">{one.role}</span> · <bdi>{one.display_name}</bdi> ·{" "}
            {money(one.price, one.currency, lang)}
          </li>
        ))}
      </ul>
      <p className={styles.note}>
        {cost.total} {money(proposal.cost.total, proposal.cost.currency, lang)} · {timeline.start}{" "}
        {day(proposal.timeline.start_date, lang)}
      </p>
    </div>
  );
}
