import { useMemo } from "react";
import type { Step } from "../../api/types";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useLang, useTexts } from "../../i18n";
import { count, modelCost } from "../../i18n/formats";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/Empty";
import { Icon } from "../../ui/Icon";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { Skeleton } from "../../ui/Skeleton";
import { Table } from "../../ui/Table";
import { useBeside } from "./beside";
import styles from "./StepInspector.module.css";
import { StepRow } from "./StepRow";
import { totalsOf } from "./stepTotals";

/** Every decision of the run: who took it, how long it took, what it cost, what came out. */
export function StepInspector() {
  const { steps: texts } = useTexts().negotiation;
  const { source, steps } = useBeside();
  const shown = useShown();
  const refresh = source === "live" && (
    <Button size="s" busy={steps.loading} data-testid="steps-refresh" onClick={steps.reload}>
      <Icon name="refresh" />
      {texts.refresh}
    </Button>
  );
  return (
    <Card title={texts.title} data-testid="step-inspector" aside={refresh}>
      <Body steps={shown} />
    </Card>
  );
}

/** In a replay only what had been decided by the moment that is shown. */
function useShown(): readonly Step[] {
  const { source, steps } = useBeside();
  const now = useNegotiation((state) => (source === "recorded" && !state.ending ? state.updatedAt : null));
  return useMemo(() => {
    const all = steps.data ?? [];
    return now === null ? all : all.filter((step) => Date.parse(step.at) <= Date.parse(now));
  }, [steps.data, now]);
}

function Body({ steps }: { readonly steps: readonly Step[] }) {
  const { negotiation } = useTexts();
  const texts = negotiation.steps;
  const { source, steps: resource } = useBeside();
  const { head } = texts;
  if (source === "file") return <p className={styles.note}>{texts.recorded}</p>;
  if (resource.data === null && resource.problem) {
    return <ProblemNotice problem={resource.problem} action={<Retry />} />;
  }
  if (resource.data === null) return <Skeleton lines={4} />;
  if (steps.length === 0) return <Empty title={texts.empty}>{texts.emptyText}</Empty>;
  return (
    <>
      <Summary steps={steps} />
      <Table
        className={styles.box ?? ""}
        caption={texts.caption}
        head={[
          "#",
          head.step,
          head.who,
          head.brain,
          head.took,
          head.tokens,
          head.cost,
          head.marks,
          head.result,
        ]}
      >
        {steps.map((step) => (
          <StepRow key={step.key} step={step} />
        ))}
      </Table>
    </>
  );
}

function Retry() {
  const { retry } = useTexts().negotiation;
  const { steps } = useBeside();
  return <Button onClick={steps.reload}>{retry}</Button>;
}

function Summary({ steps }: { readonly steps: readonly Step[] }) {
  const { steps: texts } = useTexts().negotiation;
  const { lang } = useLang();
  const totals = useMemo(() => totalsOf(steps), [steps]);
  const parts = [texts.totals(totals.steps, totals.requests)];
  if (totals.requests > 0) {
    parts.push(texts.tokens(count(totals.input, lang), count(totals.output, lang)));
    parts.push(totals.cost === null ? texts.unpriced : modelCost(totals.cost, lang));
  } else parts.push(texts.rulesOnly);
  return (
    <p className={styles.totals} data-testid="steps-totals">
      {parts.join(" · ")}
    </p>
  );
}
