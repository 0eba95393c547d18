import type { ReactNode } from "react";
import type { Problem } from "../api/problem";
import { useLang, useTexts } from "../i18n";
import { told } from "../i18n/joins";
import { Empty } from "./Empty";
import { problemWords } from "./problemWords";

export interface ProblemNoteProps {
  readonly title: string;
  readonly problem: Problem;
  /** The next step. */
  readonly action?: ReactNode;
}

/** A part of the page that could not be read, and what can be done about it. */
export function ProblemNote({ title, problem, action }: ProblemNoteProps) {
  const { lang } = useLang();
  const { message, why, hint } = problemWords(problem, useTexts().errors);
  return (
    <div role="alert">
      <Empty title={title} action={action}>
        <p>{told([message, why], lang)}</p>
        {hint && <p>{hint}</p>}
      </Empty>
    </div>
  );
}
