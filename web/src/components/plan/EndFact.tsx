import styles from "./EndCard.module.css";

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
      {items.map((item) => (
        <dd key={item} dir="auto">
          {item}
        </dd>
      ))}
    </div>
  );
}
