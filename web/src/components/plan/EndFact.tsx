import styles from "./EndCard.module.css";
import { keyedTexts } from "./keyed";

interface Props {
  readonly label: string;
  readonly items: readonly string[];
  readonly none?: string;
  readonly tone?: "warn" | "bad";
  readonly testId: string;
}

export function EndFact({ label, items, none, tone, testId }: Props) {
  return (
    <div className={styles.fact} data-tone={tone} data-testid={testId}>
      <dt>{label}</dt>
      {items.length === 0 && <dd>{none}</dd>}
      {keyedTexts(items).map(([key, item], index) => (
        <dd key={key}>
          {index > 0 && <span className={styles.apart}> · </span>}
          <span dir="auto">{item}</span>
        </dd>
      ))}
    </div>
  );
}
