import type { ReactNode } from "react";
import type { Marked } from "./classes";
import styles from "./Empty.module.css";

export interface EmptyProps extends Marked {
  readonly title: string;
  readonly children?: ReactNode;
  /** The next step. */
  readonly action?: ReactNode;
}

export function Empty({ title, children, action, ...rest }: EmptyProps) {
  return (
    <div {...rest} className={styles.empty}>
      <p className={styles.title}>{title}</p>
      {children && <div className={styles.text}>{children}</div>}
      {action && <div>{action}</div>}
    </div>
  );
}
