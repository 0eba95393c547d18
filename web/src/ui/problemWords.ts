/** What a request that failed has to say, in the node's words where it has some. */

import { BAD_ANSWER, OFFLINE, type Problem } from "../api/problem";
import type { Lang, Texts } from "../i18n";
import { told } from "../i18n/joins";

export interface ProblemWords {
  readonly message: string;
  readonly why: string;
  readonly hint: string;
}

export function problemWords(problem: Problem, t: Texts["errors"]): ProblemWords {
  if (problem.code === OFFLINE) return t.offline;
  if (problem.code === BAD_ANSWER) return t.badAnswer;
  return { message: problem.message || t.code(problem.code), why: problem.why, hint: problem.hint };
}

/** The same in one line. */
export function problemLine(problem: Problem, t: Texts["errors"], lang: Lang): string {
  const { message, why } = problemWords(problem, t);
  return told([message, why], lang);
}
