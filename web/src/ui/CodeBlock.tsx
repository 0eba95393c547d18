import styles from "./CodeBlock.module.css";
import { CopyButton } from "./CopyButton";
import type { Marked } from "./classes";

export interface CodeBlockProps extends Marked {
  readonly value: unknown;
  readonly label: string;
}

/** A value as JSON, as text only. */
export function CodeBlock({ value, label, ...rest }: CodeBlockProps) {
  const shown = typeof value === "string" ? value : (JSON.stringify(value, null, 2) ?? "");
  return (
    <div {...rest} className={styles.box}>
      <CopyButton text={shown} what={label} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by key */}
      <section className={styles.code} tabIndex={0} aria-label={label}>
        <pre>{shown}</pre>
      </section>
    </div>
  );
}
