import { useId, useMemo, useState } from "react";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { backgroundOf } from "./background";
import { causeOf } from "./causes";
import { type Change, compare } from "./compare";
import { DeclinedRequests } from "./DeclinedRequests";
import { DiffRow } from "./DiffRow";
import { keyed } from "./keyed";
import styles from "./PlanDiff.module.css";
import type { Version } from "./versions";

interface Props {
  readonly versions: readonly Version[];
  readonly current: Version;
}

/** Any two versions against each other; at first the one shown against the one before it. */
export function PlanDiff({ versions, current }: Props) {
  const { diff: texts } = useTexts().plan;
  const at = Math.max(1, versions.indexOf(current));
  const [fromAt, setFrom] = useState(at - 1);
  const [toAt, setTo] = useState(at);
  const rounds = useNegotiation((state) => state.rounds);
  const standIns = useNegotiation((state) => state.standIns);
  const subs = useNegotiation((state) => state.subs);
  const found = useMemo(() => {
    const [from, to] = [versions[fromAt], versions[toAt]];
    if (!from || !to) return null;
    const changes = compare(from.proposal, to.proposal);
    const background = backgroundOf(versions, { rounds, standIns, subs }, from, to);
    const causes = changes.map((one) => causeOf(one, changes, background));
    return { changes, causes, answered: background.answered, plan: to.proposal };
  }, [versions, rounds, standIns, subs, fromAt, toAt]);
  if (!found) return null;
  return (
    <section className={styles.diff} data-testid="plan-diff">
      <div className={styles.head}>
        <h3>{texts.title}</h3>
        <Pick label={texts.from} versions={versions} value={fromAt} onChange={setFrom} testId="diff-from" />
        <Pick label={texts.to} versions={versions} value={toAt} onChange={setTo} testId="diff-to" />
        <span className={styles.count}>
          {found.changes.length > 0 && texts.summary(found.changes.length)}
        </span>
      </div>
      {found.changes.length === 0 && <p className={styles.none}>{texts.none}</p>}
      <ol className={styles.changes}>
        {keyed(found.changes, nameOf).map(([key, change], index) => (
          <DiffRow key={key} index={index} change={change} cause={found.causes[index] ?? null} />
        ))}
      </ol>
      <DeclinedRequests answered={found.answered} plan={found.plan} />
    </section>
  );
}

function nameOf({ field, agentId, concept, from, to }: Change): string {
  return `${field} ${agentId} ${concept} ${from} ${to}`;
}

interface PickProps {
  readonly label: string;
  readonly versions: readonly Version[];
  readonly value: number;
  readonly onChange: (value: number) => void;
  readonly testId: string;
}

function Pick({ label, versions, value, onChange, testId }: PickProps) {
  const { plan: texts } = useTexts();
  const id = useId();
  return (
    <span className={styles.pick}>
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        value={value}
        data-testid={testId}
        onChange={(event) => onChange(Number(event.target.value))}
      >
        {versions.map((one, index) => (
          <option key={one.id} value={index}>
            {one.final ? texts.final : texts.version(one.proposal.version)}
          </option>
        ))}
      </select>
    </span>
  );
}
