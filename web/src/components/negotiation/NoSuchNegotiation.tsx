import type { Problem } from "../../api/problem";
import { hrefTo } from "../../hooks/useHashRoute";
import { useTexts } from "../../i18n";
import { Button } from "../../ui/Button";
import { Empty } from "../../ui/Empty";

interface Props {
  readonly problem: Problem;
  /** Asks once more, which helps where only a key is missing. */
  readonly again?: (() => void) | undefined;
}

/** In place of a negotiation that there is none of, or none for this reader. */
export function NoSuchNegotiation({ problem, again }: Props) {
  const { negotiation, errors } = useTexts();
  const { noSuch: texts } = negotiation;
  return (
    <div data-testid="negotiation-page" data-state="empty">
      <h1>{negotiation.page}</h1>
      <div role="alert" data-testid="negotiation-problem">
        <Empty title={texts.title} action={<a href={hrefTo({ page: "list" })}>{texts.toList}</a>}>
          <p>{errors.code(problem.code)}</p>
          {problem.status === 401 && again && (
            <p>
              {texts.keyHint} <Button onClick={again}>{texts.withKey}</Button>
            </p>
          )}
        </Empty>
      </div>
    </div>
  );
}

/** Whether the node says that there is nothing, or nothing for this reader, who has seen nothing of it so far. */
export function isNone(problem: Problem | null, nothingYet: boolean): problem is Problem {
  if (problem === null) return false;
  return problem.status === 404 || (nothingYet && (problem.status === 401 || problem.status === 403));
}
