import { useTexts } from "../i18n";
import type { Marked } from "./classes";
import styles from "./Skeleton.module.css";

export interface SkeletonProps extends Marked {
  readonly lines: number;
}

/** Where text will stand. */
export function Skeleton({ lines, ...rest }: SkeletonProps) {
  const { shell } = useTexts();
  return (
    <div {...rest} className={styles.skeleton} role="status" aria-busy="true">
      <span className="visually-hidden">{shell.loading}</span>
      {Array.from({ length: lines }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: all lines are alike
        <span key={index} className={styles.line} />
      ))}
    </div>
  );
}
