import type { Proposal } from "../../api/types";
import { useLang, useTexts } from "../../i18n";
import { day } from "../../i18n/formats";
import { keyed } from "./keyed";
import styles from "./PlanTimeline.module.css";
import card from "./ProposalCard.module.css";

export function PlanTimeline({ timeline }: { readonly timeline: Proposal["timeline"] }) {
  const { timeline: texts } = useTexts().plan;
  const { lang } = useLang();
  const milestones = timeline.milestones;
  return (
    <section className={card.part} data-testid="plan-timeline">
      <h3>{texts.title}</h3>
      {milestones.length === 0 && (
        <p>
          {texts.start} {day(timeline.start_date, lang)}
        </p>
      )}
      <ol className={styles.rail}>
        {keyed(milestones, (one) => `${one.date} ${one.name}`).map(([key, one]) => (
          <li key={key} data-start={one.date === timeline.start_date}>
            <time dateTime={one.date}>{day(one.date, lang)}</time>
            <span className={styles.name} dir="auto">
              {one.name}
            </span>
            {one.deliverable && (
              <span className={card.duty} dir="auto">
                {one.deliverable}
              </span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}
