import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { Badge } from "../../ui/Badge";
import { LongText } from "../negotiation/LongText";
import { Compromise } from "./Compromise";
import { PlanCost } from "./PlanCost";
import { PlanGaps } from "./PlanGaps";
import { PlanTimeline } from "./PlanTimeline";
import styles from "./ProposalCard.module.css";
import { RoleTable } from "./RoleTable";
import { useConsents } from "./useConsents";
import type { Version } from "./versions";

interface Props {
  readonly version: Version;
  /** What the end says belongs to the newest version only. */
  readonly newest: boolean;
}

export function PlanBody({ version, newest }: Props) {
  const { plan: texts } = useTexts();
  const ending = useNegotiation((state) => state.ending);
  const consents = useConsents(version);
  const { proposal, source } = version;
  const compromise = newest ? (ending?.compromise ?? null) : null;
  return (
    <>
      <div className={styles.lead}>
        <p className={styles.summary} dir="auto" data-testid="plan-summary">
          {proposal.summary}
        </p>
        <p className={styles.marks}>
          <Badge>{texts.confidence[proposal.confidence]}</Badge>
          {source !== null && Object.hasOwn(texts.bySource, source) && (
            <Badge tone={version.degraded ? "warn" : "neutral"}>{texts.bySource[source]}</Badge>
          )}
        </p>
      </div>
      {compromise && <Compromise compromise={compromise} />}
      <RoleTable assignments={proposal.assignments} consents={consents} />
      <div className={styles.pair}>
        <PlanTimeline timeline={proposal.timeline} />
        <PlanCost proposal={proposal} />
      </div>
      <PlanGaps proposal={proposal} />
      {proposal.rationale && (
        <section className={styles.part} data-testid="plan-rationale">
          <h3>{texts.rationale}</h3>
          <LongText text={proposal.rationale} lines={4} />
        </section>
      )}
    </>
  );
}
