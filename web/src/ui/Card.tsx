import { type ComponentPropsWithRef, type ReactNode, useId } from "react";
import type { Tone } from "./Badge";
import styles from "./Card.module.css";
import { classes } from "./classes";

export interface CardProps extends Omit<ComponentPropsWithRef<"section">, "title"> {
  readonly title?: ReactNode;
  /** Beside the title: a badge, a button. */
  readonly aside?: ReactNode;
  readonly level?: 2 | 3 | 4;
  readonly tone?: Tone;
}

/** A section with a heading of its own, by which it is named. */
export function Card({ title, aside, level = 2, tone = "neutral", className, children, ...rest }: CardProps) {
  const id = useId();
  const Heading = `h${level}` as const;
  return (
    <section
      aria-labelledby={title ? id : undefined}
      {...rest}
      className={classes(styles.card, styles[tone], className)}
    >
      {(title || aside) && (
        <header className={styles.head}>
          {title && <Heading id={id}>{title}</Heading>}
          {aside && <div className={styles.aside}>{aside}</div>}
        </header>
      )}
      {children}
    </section>
  );
}
