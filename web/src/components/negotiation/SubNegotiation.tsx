import { useId, useState } from "react";
import { hrefTo } from "../../hooks/useHashRoute";
import { useTexts } from "../../i18n";
import type { SubNegotiation as Sub } from "../../state/model";
import { Badge, type Tone } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Icon } from "../../ui/Icon";
import { ProposalSummary } from "../plan/ProposalSummary";
import { useBeside } from "./beside";
import styles from "./SubNegotiation.module.css";
import { SubStream } from "./SubStream";

const TONE: Readonly<Record<Sub["outcome"], Tone>> = {
  running: "info",
  finalized: "good",
  failed: "bad",
  timeout: "warn",
};

/** A child inside its parent: folded to one line, opened it follows its own stream. */
export function SubNegotiation({ sub }: { readonly sub: Sub }) {
  const { subnet: texts } = useTexts().negotiation;
  const { source } = useBeside();
  const [open, setOpen] = useState(false);
  const body = useId();
  return (
    <Card
      level={3}
      title={
        <>
          <Icon name="branch" /> {texts.title} <span className={styles.gap}>{texts.for(sub.gapType)}</span>
        </>
      }
      tone={TONE[sub.outcome]}
      data-testid={`subnet-${sub.demandId}`}
      data-outcome={sub.outcome}
      aside={
        <>
          <Badge tone={TONE[sub.outcome]}>{texts.outcome[sub.outcome]}</Badge>
          {source !== "file" && (
            <a href={hrefTo({ page: "negotiation", demandId: sub.demandId })} data-testid="subnet-link">
              {texts.page}
            </a>
          )}
          <Button
            size="s"
            data-testid="subnet-open"
            aria-expanded={open}
            aria-controls={body}
            onClick={() => setOpen(!open)}
          >
            {open ? texts.close : texts.open}
          </Button>
        </>
      }
    >
      <div id={body} hidden={!open}>
        {open && (source === "live" ? <SubStream demandId={sub.demandId} /> : <Told sub={sub} />)}
      </div>
    </Card>
  );
}

/** A replay follows no stream: it shows what the parent was told. */
function Told({ sub }: { readonly sub: Sub }) {
  const { subnet: texts } = useTexts().negotiation;
  return (
    <div className={styles.body}>
      <p className={styles.note}>{texts.recorded}</p>
      {sub.proposal ? <ProposalSummary proposal={sub.proposal} /> : <p>{texts.none}</p>}
    </div>
  );
}
