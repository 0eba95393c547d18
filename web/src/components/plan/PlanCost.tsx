import type { Proposal } from "../../api/types";
import { useLang, useTexts } from "../../i18n";
import { money } from "../../i18n/formats";
import styles from "./PlanCost.module.css";
import card from "./ProposalCard.module.css";

/** What the plan costs, against the budget where the demand states one. */
export function PlanCost({ proposal }: { readonly proposal: Proposal }) {
  const { cost: texts } = useTexts().plan;
  const { lang } = useLang();
  const { total, budget = null, currency } = proposal.cost;
  const mixed = proposal.assignments.some((one) => one.currency !== currency);
  return (
    <section className={card.part} data-testid="plan-cost">
      <h3>{texts.title}</h3>
      <p className={styles.total}>{money(total, currency, lang)}</p>
      {budget === null ? (
        <p className={card.note}>{texts.none}</p>
      ) : (
        <Budget total={total} budget={budget} currency={currency} />
      )}
      {mixed && <p className={card.note}>{texts.mixed}</p>}
    </section>
  );
}

interface BudgetProps {
  readonly total: number;
  readonly budget: number;
  readonly currency: string;
}

function Budget({ total, budget, currency }: BudgetProps) {
  const { cost: texts } = useTexts().plan;
  const { lang } = useLang();
  const left = budget - total;
  const share = budget > 0 ? Math.round((total / budget) * 100) : 100;
  const shown = money(Math.abs(left), currency, lang);
  const words = left === 0 ? texts.exact : left > 0 ? texts.within(shown) : texts.over(shown);
  return (
    <>
      <div className={styles.bar} aria-hidden="true">
        <span data-over={left < 0} style={{ width: `${Math.min(100, share)}%` }} />
      </div>
      <p className={styles.words}>
        {texts.budget} {money(budget, currency, lang)} · {texts.share(share)}
      </p>
      <p className={styles.words} data-over={left < 0}>
        {words}
      </p>
    </>
  );
}
