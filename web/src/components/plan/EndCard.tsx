import { useMemo } from "react";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useLang, useTexts } from "../../i18n";
import { count, isolated, modelCost, money } from "../../i18n/formats";
import type { Ending, Phase } from "../../state/model";
import { Card } from "../../ui/Card";
import { useBeside } from "../negotiation/beside";
import { PHASE_TONE } from "../negotiation/phase";
import { consentNames } from "./consent";
import styles from "./EndCard.module.css";
import { EndFact } from "./EndFact";
import { NextSteps } from "./NextSteps";
import { useConsents } from "./useConsents";
import { type Version, versionsOf } from "./versions";

/** How it ended: in full, in part, as a compromise, or not at all; these are told apart in words. */
export function EndCard() {
  const ending = useNegotiation((state) => state.ending);
  const phase = useNegotiation((state) => state.phase);
  return ending && isEnd(phase) ? <Ended ending={ending} phase={phase} /> : null;
}

type End = Extract<Phase, "success" | "partial" | "compromise" | "failed" | "cancelled">;

function isEnd(phase: Phase): phase is End {
  return ["success", "partial", "compromise", "failed", "cancelled"].includes(phase);
}

function Ended({ ending, phase }: { readonly ending: Ending; readonly phase: End }) {
  const { end: texts } = useTexts().plan;
  const plans = useNegotiation((state) => state.plans);
  const last = useMemo(() => versionsOf(plans, ending).at(-1), [plans, ending]);
  const agreed = ending.kind === "finalized";
  return (
    <Card
      title={texts[phase]}
      tone={PHASE_TONE[phase]}
      data-testid="end-card"
      data-end={phase}
      aside={
        ending.roundsTaken !== null && <span className={styles.note}>{texts.rounds(ending.roundsTaken)}</span>
      }
    >
      {ending.message && (
        <p dir="auto" data-testid="end-message">
          {ending.message} {ending.code && <code>{ending.code}</code>}
        </p>
      )}
      <dl className={styles.facts}>
        {agreed && last && <Consented version={last} />}
        {last && <Lacking version={last} gaps={ending.gaps.map((gap) => gap.gap_type)} />}
        {agreed && last && <Cost version={last} />}
        <Models ending={ending} />
      </dl>
      <NextSteps phase={phase} suggestions={ending.suggestions} />
    </Card>
  );
}

function Consented({ version }: { readonly version: Version }) {
  const { end: texts } = useTexts().plan;
  const { explicit, stoodIn, bySub, byDefault, unconfirmed } = consentNames(version, useConsents(version));
  return (
    <>
      <EndFact label={texts.explicit} items={explicit} none={texts.nobody} testId="end-explicit" />
      {stoodIn.length > 0 && <EndFact label={texts.stoodIn} items={stoodIn} testId="end-stood-in" />}
      {bySub.length > 0 && <EndFact label={texts.bySub} items={bySub} testId="end-sub" />}
      {byDefault.length > 0 && <EndFact label={texts.byDefault} items={byDefault} testId="end-default" />}
      {unconfirmed.length > 0 && (
        <EndFact label={texts.unconfirmed} items={unconfirmed} tone="warn" testId="end-unconfirmed" />
      )}
    </>
  );
}

function Lacking({ version, gaps }: { readonly version: Version; readonly gaps: readonly string[] }) {
  const { end: texts } = useTexts().plan;
  const open = version.proposal.assignments.flatMap((one) =>
    one.conditions
      .filter((condition) => condition.status !== "met")
      .map((condition) => `${isolated(one.display_name)}: ${isolated(condition.text)}`),
  );
  const missing = gaps.length > 0 ? gaps : version.proposal.gaps;
  return (
    <>
      {open.length > 0 && <EndFact label={texts.open} items={open} tone="warn" testId="end-open" />}
      {missing.length > 0 && <EndFact label={texts.gaps} items={missing} tone="bad" testId="end-gaps" />}
    </>
  );
}

function Cost({ version }: { readonly version: Version }) {
  const { end: texts } = useTexts().plan;
  const { lang } = useLang();
  const { total, currency } = version.proposal.cost;
  return <EndFact label={texts.cost} items={[money(total, currency, lang)]} testId="end-cost" />;
}

/** The end tells what the models took; a node that does not is asked beside it. */
function Models({ ending }: { readonly ending: Ending }) {
  const { end: texts } = useTexts().plan;
  const { lang } = useLang();
  const told = useBeside().demand?.usage;
  const usage = ending.usage ?? told ?? null;
  if (usage === null) return null;
  const { requests, input_tokens: input, output_tokens: output, cost_usd: cost = null } = usage;
  const price = cost === null ? texts.unpriced : modelCost(cost, lang);
  const words = requests === 0 ? texts.noModel : texts.usage(requests, count(input + output, lang), price);
  return <EndFact label={texts.models} items={[words]} testId="end-models" />;
}
