import { useMemo } from "react";
import { cut } from "../state/read";
import styles from "./CodeBlock.module.css";
import { CopyButton } from "./CopyButton";
import type { Marked } from "./classes";

export interface CodeBlockProps extends Marked {
  readonly value: unknown;
  readonly label: string;
}

/** A value as JSON, as text only. What is copied is whole; a text in it that is too long is shown in part. */
export function CodeBlock({ value, label, ...rest }: CodeBlockProps) {
  const whole = useMemo(() => written(value), [value]);
  const shown = useMemo(() => written(value, cut), [value]);
  return (
    <div {...rest} className={styles.box}>
      <CopyButton text={whole} what={label} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by key */}
      <section className={styles.code} tabIndex={0} aria-label={label}>
        <pre>{shown}</pre>
      </section>
    </div>
  );
}

function written(value: unknown, change: (text: string) => string = (text) => text): string {
  if (typeof value === "string") return change(value);
  return (
    JSON.stringify(value, (_, inner: unknown) => (typeof inner === "string" ? change(inner) : inner), 2) ?? ""
  );
}
