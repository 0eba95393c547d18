import type { ComponentPropsWithRef, MouseEvent } from "react";
import styles from "./Button.module.css";
import { classes } from "./classes";

export interface ButtonProps extends ComponentPropsWithRef<"button"> {
  readonly variant?: "primary" | "plain" | "danger" | "ghost";
  readonly size?: "s" | "m";
  /** Something runs: it keeps the focus, but takes no second press. */
  readonly busy?: boolean;
}

export function Button({
  variant = "plain",
  size = "m",
  busy = false,
  type = "button",
  className,
  onClick,
  ...rest
}: ButtonProps) {
  const press = (event: MouseEvent<HTMLButtonElement>) => {
    if (busy) event.preventDefault();
    else onClick?.(event);
  };
  return (
    <button
      {...rest}
      type={type}
      className={classes(styles.button, styles[variant], styles[size], className)}
      aria-busy={busy || undefined}
      aria-disabled={busy || undefined}
      onClick={press}
    />
  );
}
