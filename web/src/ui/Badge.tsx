import type { ComponentPropsWithRef } from "react";
import styles from "./Badge.module.css";
import { classes } from "./classes";

export type Tone = "neutral" | "good" | "warn" | "bad" | "info";

export interface BadgeProps extends ComponentPropsWithRef<"span"> {
  readonly tone?: Tone;
}

/** A state in a word; the tone repeats what the word says. */
export function Badge({ tone = "neutral", className, ...rest }: BadgeProps) {
  return <span {...rest} className={classes(styles.badge, styles[tone], className)} />;
}
