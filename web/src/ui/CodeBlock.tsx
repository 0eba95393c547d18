import { useMemo } from "react";
import { useTexts } from "../i18n";
import { controlsShown } from "../state/controls";
import { cut } from "../state/read";
import styles from "./CodeBlock.module.css";
import { CopyButton } from "./CopyButton";
import type { Marked } from "./classes";

export interface CodeBlockProps extends Marked {
  readonly value: unknown;
  readonly label: string;
}

/**
 * A value as JSON, as text only, with its hidden characters in sight. What is copied is whole; a text in it that is
 * too long is shown in part.
 */
export function CodeBlock({ value, label, ...rest }: CodeBlockProps) {
  const { shell } = useTexts();
  const whole = useMemo(() => written(value), [value]);
  const shown = useMemo(() => written(value, cut), [value]);
  return (
    <div {...rest} className={styles.box}>
      {whole !== null && <CopyButton text={whole} what={label} />}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by key */}
      <section className={styles.code} tabIndex={0} aria-label={label}>
        <pre>{shown === null ? shell.unwritable : controlsShown(shown)}</pre>
      </section>
    </div>
  );
}

/** Null for what cannot be written down: it nests deeper than the stack, or is no JSON. */
function written(value: unknown, change: (text: string) => string = (text) => text): string | null {
  if (typeof value === "string") return change(value);
  const changed = (_: string, inner: unknown) => (typeof inner === "string" ? change(inner) : inner);
  try {
    return JSON.stringify(value, changed, 2) ?? "";
  } catch {
    return null;
  }
}
