import type { Compromise as Told } from "../../api/types";
import { useTexts } from "../../i18n";
import { isolated } from "../../i18n/formats";
import { plainly } from "../../state/read";
import styles from "./Compromise.module.css";
import { keyed, keyedTexts } from "./keyed";
import card from "./ProposalCard.module.css";

/** What works, what is missing, how differences were settled, what could be done. */
export function Compromise({ compromise }: { readonly compromise: Told }) {
  const { compromise: texts } = useTexts().plan;
  const works = compromise.assignments.map((one) => `${isolated(one.role)} · ${isolated(one.display_name)}`);
  return (
    <section className={styles.compromise} data-testid="compromise">
      <p dir="auto">{compromise.summary}</p>
      <div className={styles.columns}>
        <Part title={texts.works} items={works} none={texts.nothing} testId="compromise-works" />
        <Part title={texts.missing} items={compromise.unresolved} testId="compromise-missing" />
        <Part title={texts.suggestions} items={compromise.suggestions} testId="compromise-suggestions" />
      </div>
      <Settled entries={compromise.compromises} />
    </section>
  );
}

interface PartProps {
  readonly title: string;
  readonly items: readonly string[];
  readonly none?: string;
  readonly testId: string;
}

function Part({ title, items, none, testId }: PartProps) {
  if (items.length === 0 && !none) return null;
  return (
    <div data-testid={testId}>
      <h4>{title}</h4>
      {items.length === 0 && <p className={card.note}>{none}</p>}
      <ul className={styles.list}>
        {keyedTexts(items).map(([key, item]) => (
          <li key={key} dir="auto">
            {item}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Settled({ entries }: { readonly entries: readonly Readonly<Record<string, unknown>>[] }) {
  const { compromise: texts } = useTexts().plan;
  const found = entries.map((entry) =>
    ["issue", "resolution", "rationale"].map((key) => plainly(entry[key])),
  );
  if (found.length === 0) return null;
  return (
    <details>
      <summary>
        {texts.settled} ({found.length})
      </summary>
      <dl className={styles.settled}>
        {keyed(found, String).map(([key, [issue, resolution, rationale]]) => (
          <div key={key}>
            <dt dir="auto">{issue}</dt>
            <dd dir="auto">
              {resolution} <span className={card.note}>{rationale}</span>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
