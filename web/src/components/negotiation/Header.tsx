import type { ReactNode } from "react";
import { hrefTo } from "../../hooks/useHashRoute";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { Badge } from "../../ui/Badge";
import { Icon } from "../../ui/Icon";
import { useBeside } from "./beside";
import { CancelButton } from "./CancelButton";
import { Clock } from "./Clock";
import { ConnectionBadge } from "./ConnectionBadge";
import styles from "./Header.module.css";
import { LongText } from "./LongText";
import { Marks } from "./Marks";
import { isOpen, PHASE_TONE } from "./phase";
import { RoundMarker } from "./RoundMarker";
import { Separated } from "./Separated";
import { StateLine } from "./StateLine";
import { UnderstandingPart } from "./UnderstandingPart";

/** What it is about, where it stands, and how it can be stopped. */
export function Header() {
  const phase = useNegotiation((state) => state.phase);
  const demandId = useNegotiation((state) => state.demandId);
  const { source } = useBeside();
  return (
    <header className={styles.header}>
      <div className={styles.words}>
        <Parent />
        <Demand />
        <Tags />
        <UnderstandingPart as="lookup" />
      </div>
      <div className={styles.standing} data-phase={PHASE_TONE[phase]}>
        <StateLine />
        <div className={styles.facts}>
          <RoundMarker />
          <Clock />
        </div>
        <div className={styles.badges}>
          <ConnectionBadge />
          <Marks />
          {source === "live" && demandId && isOpen(phase) && <CancelButton demandId={demandId} />}
        </div>
      </div>
    </header>
  );
}

function Parent() {
  const { header } = useTexts().negotiation;
  const parent = useBeside().demand?.parent_demand_id;
  if (!parent) return null;
  return (
    <p className={styles.parent}>
      {header.sub}
      <a href={hrefTo({ page: "negotiation", demandId: parent })} data-testid="parent-link">
        <Icon name="arrow-left" /> {header.parent}
      </a>
    </p>
  );
}

function heading(words: ReactNode): ReactNode {
  return (
    <h1 tabIndex={-1} dir="auto" data-testid="demand-words">
      {words}
    </h1>
  );
}

function Demand() {
  const { page, header } = useTexts().negotiation;
  const words = useNegotiation((state) => state.rawInput || state.understanding?.surface_demand || "");
  const by = useNegotiation((state) => state.requesterId);
  return (
    <>
      <LongText text={words || page} lines={4} around={heading} />
      {by && by !== "anonymous" && <p className={styles.by}>{header.by(by)}</p>}
    </>
  );
}

function Tags() {
  const { header } = useTexts().negotiation;
  const tags = useNegotiation((state) => state.understanding?.capability_tags);
  const unclear = useNegotiation((state) => state.understanding?.uncertainties);
  return (
    <dl className={styles.tags}>
      {tags && tags.length > 0 && (
        <div>
          <dt>{header.tags}</dt>
          <dd data-testid="header-tags">
            <Separated items={tags} around={(tag) => <Badge>{tag}</Badge>} />
          </dd>
        </div>
      )}
      {unclear && unclear.length > 0 && (
        <div>
          <dt>{header.uncertainties}</dt>
          <dd data-testid="header-uncertainties">
            <Separated items={unclear} around={(one) => <Badge tone="warn">{one}</Badge>} />
          </dd>
        </div>
      )}
    </dl>
  );
}
