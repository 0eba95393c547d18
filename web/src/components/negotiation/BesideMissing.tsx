import type { Resource } from "../../hooks/useResource";
import { useLang, useTexts } from "../../i18n";
import { Button } from "../../ui/Button";
import { Card } from "../../ui/Card";
import { problemLine } from "../../ui/problemWords";

interface Props {
  readonly resources: readonly Resource<unknown>[];
}

/** Says that something is missing beside the events, and why: else it would only not be there. */
export function BesideMissing({ resources }: Props) {
  const { negotiation, errors } = useTexts();
  const { lang } = useLang();
  const failed = resources.filter(({ problem }) => problem !== null);
  const problem = failed[0]?.problem;
  if (!problem) return null;
  return (
    <Card tone="warn" role="status" data-testid="beside-missing">
      <p>{negotiation.besideMissing(problemLine(problem, errors, lang))}</p>
      <p>
        <Button
          size="s"
          busy={failed.some(({ loading }) => loading)}
          onClick={() => {
            for (const resource of failed) resource.reload();
          }}
        >
          {negotiation.retry}
        </Button>
      </p>
    </Card>
  );
}
