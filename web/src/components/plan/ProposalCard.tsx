import { useMemo, useState } from "react";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useLang, useTexts } from "../../i18n";
import { listed } from "../../i18n/formats";
import { Badge, type Tone } from "../../ui/Badge";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/Empty";
import { Icon } from "../../ui/Icon";
import { Tabs } from "../../ui/Tabs";
import { PlanBody } from "./PlanBody";
import { PlanDiff } from "./PlanDiff";
import styles from "./ProposalCard.module.css";
import { formOf, type PlanForm, type Version, versionsOf } from "./versions";

const TONE: Readonly<Record<PlanForm, Tone>> = {
  plan: "neutral",
  partial: "warn",
  compromise: "warn",
  last: "bad",
};

/** The plan in all its versions. It stays whatever happens, and says what it is worth. */
export function ProposalCard() {
  const { plan: texts } = useTexts();
  const ending = useNegotiation((state) => state.ending);
  const plans = useNegotiation((state) => state.plans);
  const versions = useMemo(() => versionsOf(plans, ending), [plans, ending]);
  const form = formOf(ending);
  return (
    <Card
      className={styles.card}
      title={versions.length === 0 ? texts.title : texts.titleForm[form]}
      tone={ending ? TONE[form] : "neutral"}
      data-testid="proposal-card"
      data-form={form}
      aside={
        ending?.kind === "finalized" &&
        ending.consensus === "partial" && (
          <Badge tone="warn" data-testid="partial-badge">
            {texts.partialBadge}
          </Badge>
        )
      }
    >
      <Caution form={form} planned={versions.length > 0} />
      <LeftOut />
      {versions.length > 0 ? (
        <Versions versions={versions} />
      ) : (
        <Empty title={ending ? texts.never : texts.empty}>{ending ? texts.neverText : texts.emptyText}</Empty>
      )}
    </Card>
  );
}

/** A page can lay out only so much of what a foreign file lists. */
function LeftOut() {
  const { plan: texts } = useTexts();
  const count = useNegotiation((state) => state.leftOut);
  if (count === 0) return null;
  return (
    <p className={styles.note} data-testid="left-out">
      {texts.leftOut(count)}
    </p>
  );
}

/** What the plan is not, in plain words. */
function Caution({ form, planned }: { readonly form: PlanForm; readonly planned: boolean }) {
  const { plan: texts } = useTexts();
  const unconfirmed = useUnconfirmed();
  const words = {
    plan: "",
    partial: unconfirmed ? texts.unconfirmed(unconfirmed) : "",
    compromise: [texts.compromiseSays, unconfirmed && texts.unconfirmed(unconfirmed)]
      .filter(Boolean)
      .join(" "),
    last: planned ? texts.notAgreed : "",
  }[form];
  if (!words) return null;
  return (
    <p className={styles.caution} data-tone={TONE[form]} data-testid="plan-caution">
      <Icon name="alert" />
      <span>{words}</span>
    </p>
  );
}

function useUnconfirmed(): string {
  const { lang } = useLang();
  const ids = useNegotiation((state) => state.ending?.unconfirmed);
  const candidates = useNegotiation((state) => state.candidates);
  return listed(
    (ids ?? []).map((id) => candidates[id]?.displayName ?? id),
    lang,
  );
}

/** The newest version is shown until the reader picks another one. */
function Versions({ versions }: { readonly versions: readonly Version[] }) {
  const { plan: texts } = useTexts();
  const [picked, setPicked] = useState<string | null>(null);
  const current = versions.find((one) => one.id === picked) ?? versions.at(-1);
  const tabs = versions.map((one) => ({
    id: one.id,
    testId: `plan-version-${one.id}`,
    label: (
      <>
        {one.final ? texts.final : texts.version(one.proposal.version)}{" "}
        <span className={styles.ofRound}>{texts.ofRound(one.round)}</span>
      </>
    ),
  }));
  if (!current) return null;
  return (
    <Tabs label={texts.versions} tabs={tabs} current={current.id} onChange={setPicked}>
      {() => (
        <div className={styles.version}>
          <PlanBody version={current} newest={current === versions.at(-1)} />
          {versions.length > 1 && <PlanDiff key={current.id} versions={versions} current={current} />}
        </div>
      )}
    </Tabs>
  );
}
