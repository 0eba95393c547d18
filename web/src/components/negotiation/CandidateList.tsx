import { useMemo, useState } from "react";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/Empty";
import { currentProposal } from "../plan/versions";
import { useBeside } from "./beside";
import { CandidateCard } from "./CandidateCard";
import styles from "./CandidateList.module.css";
import {
  type CandidateRow,
  countsOf,
  rowsOf,
  type Section,
  type Group as SectionGroup,
  sectionsOf,
} from "./standing";
import { STANDING_TONE } from "./standingTone";

/** Everybody who was thought of, where they stand, in their own words. */
export function CandidateList() {
  const { candidates: texts } = useTexts().negotiation;
  const rows = useRows();
  const closed = useNegotiation((state) => state.offersClosed || state.ending !== null);
  const over = useNegotiation((state) => state.ending !== null);
  const sections = useMemo(() => sectionsOf(rows, closed), [rows, closed]);
  return (
    <Card title={texts.title} data-testid="candidate-list" aside={<Counts rows={rows} />}>
      {rows.length === 0 && (
        <Empty title={over ? texts.none : texts.empty}>{over ? texts.noneText : texts.emptyText}</Empty>
      )}
      {sections.map((section) => (
        <Group
          key={section.group}
          section={section}
          alone={sections.length === 1}
          folded={isFolded(section, sections)}
        />
      ))}
    </Card>
  );
}

function useRows(): readonly CandidateRow[] {
  const candidates = useNegotiation((state) => state.candidates);
  const order = useNegotiation((state) => state.candidateOrder);
  const proposal = useNegotiation((state) => currentProposal(state.plans, state.ending));
  const { seats } = useBeside();
  return useMemo(() => rowsOf({ candidates, order, proposal, seats }), [candidates, order, proposal, seats]);
}

function Counts({ rows }: { readonly rows: readonly CandidateRow[] }) {
  const { candidates: texts } = useTexts().negotiation;
  const counts = useMemo(() => countsOf(rows), [rows]);
  return (
    <ul className={styles.counts} aria-label={texts.counts}>
      {counts.map(([standing, count]) => (
        <li key={standing}>
          <Badge tone={STANDING_TONE[standing]} data-testid={`count-${standing}`}>
            {texts.status[standing]} {count}
          </Badge>
        </li>
      ))}
    </ul>
  );
}

/** The reserve, and whoever is not in a plan that there is: a row tells how many, which opens. */
function isFolded({ group }: Section, sections: readonly Section[]): boolean {
  const planned = sections.some((one) => one.group === "plan");
  return group === "reserve" || (planned && group !== "plan");
}

/** Of those who are not in the plan, how many are shown before the rest is asked for. */
const MOST_SHOWN: Readonly<Record<SectionGroup, number>> = {
  answering: Number.POSITIVE_INFINITY,
  plan: Number.POSITIVE_INFINITY,
  offered: 8,
  others: 8,
  reserve: 8,
};

interface GroupProps {
  readonly section: Section;
  readonly alone: boolean;
  readonly folded: boolean;
}

function Group({ section, alone, folded }: GroupProps) {
  const { candidates: texts } = useTexts().negotiation;
  const { group, rows } = section;
  const heading = (
    <h3 className={styles.heading}>
      {texts.groups[group]} <span>{rows.length}</span>
    </h3>
  );
  if (folded) {
    return (
      <details className={styles.group} data-testid={`candidates-${group}`}>
        <summary>{heading}</summary>
        <Rows section={section} />
      </details>
    );
  }
  return (
    <section className={styles.group}>
      {!alone && heading}
      <Rows section={section} />
    </section>
  );
}

function Rows({ section }: { readonly section: Section }) {
  const { candidates: texts, fold } = useTexts().negotiation;
  const { group, rows } = section;
  const [open, setOpen] = useState(false);
  const shown = open ? rows : rows.slice(0, MOST_SHOWN[group]);
  return (
    <>
      <ul className={styles.rows}>
        {shown.map((row) => (
          <CandidateCard key={row.agentId} {...row} />
        ))}
      </ul>
      {(shown.length < rows.length || open) && (
        <Button variant="ghost" size="s" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? fold.less : texts.all(rows.length)}
        </Button>
      )}
    </>
  );
}
