import type { ReactNode } from "react";
import type { Problem } from "../api/problem";
import { useLang, useTexts } from "../i18n";
import { span } from "../i18n/formats";
import type { Marked } from "./classes";
import { Icon } from "./Icon";
import styles from "./ProblemNotice.module.css";
import { problemWords } from "./problemWords";

export interface ProblemNoticeProps extends Marked {
  readonly problem: Problem;
  /** What can be done about it: a button. */
  readonly action?: ReactNode;
}

/** What went wrong, why, and what to do, in words; heard at once. */
export function ProblemNotice({ problem, action, ...rest }: ProblemNoticeProps) {
  const { errors } = useTexts();
  const { lang } = useLang();
  const { message, why, hint } = problemWords(problem, errors);
  return (
    <div {...rest} role="alert" className={styles.notice} data-code={problem.code}>
      <Icon name="alert" />
      <div className={styles.words}>
        <p className={styles.message}>{message}</p>
        {why && <p>{why}</p>}
        {hint && <p>{hint}</p>}
        {problem.retryAfter !== null && <p>{errors.retryAfter(span(problem.retryAfter, lang))}</p>}
        <p className={styles.code}>{errors.code(problem.code)}</p>
        {action && <p>{action}</p>}
      </div>
    </div>
  );
}
