import type { ReactNode } from "react";
import { classes, type Marked } from "./classes";
import styles from "./Table.module.css";

export interface TableProps extends Marked {
  readonly caption: string;
  readonly head: readonly ReactNode[];
  readonly children: ReactNode;
  /** The caption is shown; otherwise only screen readers hear it. */
  readonly showCaption?: boolean;
  readonly className?: string;
}

/** A table that scrolls in its own box where the page is narrow; the box can be reached by key. */
export function Table({ caption, head, children, showCaption = false, className, ...rest }: TableProps) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by key
    <section className={classes(styles.box, className)} aria-label={caption} tabIndex={0}>
      <table {...rest} className={styles.table}>
        <caption className={showCaption ? styles.caption : "visually-hidden"}>{caption}</caption>
        <thead>
          <tr>
            {head.map((cell, index) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: columns have no other identity
              <th key={index} scope="col">
                {cell}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>{children}</tbody>
      </table>
    </section>
  );
}
