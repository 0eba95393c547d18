import { cloneElement, type ReactElement, type ReactNode, useId } from "react";
import { classes, type Marked } from "./classes";
import styles from "./Field.module.css";
import { Icon } from "./Icon";

/** What a control takes from the field around it. */
export interface ControlProps {
  readonly id?: string | undefined;
  readonly "aria-describedby"?: string | undefined;
  readonly "aria-invalid"?: boolean | "true" | "false" | "grammar" | "spelling" | undefined;
}

export interface FieldProps extends Marked {
  readonly label: ReactNode;
  readonly hint?: ReactNode;
  /** Why what stands there is not taken; heard at once. */
  readonly error?: string | null | undefined;
  readonly children: ReactElement<ControlProps>;
  readonly className?: string;
}

/** A control with its label, hint and error, tied together by ids. */
export function Field({ label, hint, error, children, className, ...rest }: FieldProps) {
  const made = useId();
  const id = children.props.id ?? made;
  const described = [children.props["aria-describedby"], hint && `${id}-hint`, error && `${id}-error`];
  return (
    <div {...rest} className={classes(styles.field, className)}>
      <label className={styles.label} htmlFor={id}>
        {label}
      </label>
      {cloneElement(children, {
        id,
        "aria-describedby": classes(...described.map((one) => (one ? String(one) : null))) || undefined,
        "aria-invalid": error ? true : undefined,
      })}
      {hint && (
        <p id={`${id}-hint`} className={styles.hint}>
          {hint}
        </p>
      )}
      <div role="alert">
        {error && (
          <p id={`${id}-error`} className={styles.error}>
            <Icon name="alert" />
            {error}
          </p>
        )}
      </div>
    </div>
  );
}
