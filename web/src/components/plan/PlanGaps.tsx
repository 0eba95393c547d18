import type { Proposal } from "../../api/types";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { Badge } from "../../ui/Badge";
import { Icon } from "../../ui/Icon";
import { NoSubNegotiation } from "../negotiation/NoSubNegotiation";
import { keyedTexts } from "./keyed";
import styles from "./ProposalCard.module.css";

/** What nobody in this version covers, with what is known about it. */
export function PlanGaps({ proposal }: { readonly proposal: Proposal }) {
  const { gaps: texts } = useTexts().plan;
  const known = useNegotiation((state) => state.gaps);
  const gaps = proposal.gaps;
  return (
    <section className={styles.part} data-testid="plan-gaps" data-count={gaps.length}>
      <h3>{texts.title}</h3>
      {gaps.length === 0 && <p className={styles.note}>{texts.none}</p>}
      <ul className={styles.plain}>
        {keyedTexts(gaps).map(([key, gap]) => {
          const more = known.find((one) => one.gap_type === gap);
          const instead = more?.suggested_capability_tags.filter((tag) => tag !== gap) ?? [];
          return (
            <li key={key}>
              <Badge tone="bad">
                <Icon name="alert" />
                {gap}
              </Badge>{" "}
              <span dir="auto">{more?.reason}</span>
              {more && (
                <span className={styles.duty}>
                  {texts.importance(more.importance)}
                  {instead.length > 0 && ` · ${texts.instead} ${instead.join(" / ")}`}
                </span>
              )}
            </li>
          );
        })}
      </ul>
      {gaps.length > 0 && <NoSubNegotiation className={styles.duty} />}
    </section>
  );
}
