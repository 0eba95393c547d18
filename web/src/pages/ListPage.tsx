import { useRef, useState } from "react";
import type { Problem } from "../api/problem";
import { DemandList } from "../components/list/DemandList";
import styles from "../components/list/DemandList.module.css";
import { type DemandStatus, useDemands } from "../components/list/useDemands";
import { useFocusAfterErase } from "../components/list/useFocusAfterErase";
import { go } from "../hooks/useHashRoute";
import { useTexts } from "../i18n";
import { session } from "../state/session";
import { Button } from "../ui/Button";
import { Card } from "../ui/Card";
import { Empty } from "../ui/Empty";
import { ProblemNote } from "../ui/ProblemNote";
import { Skeleton } from "../ui/Skeleton";

const STATUSES: readonly DemandStatus[] = ["processing", "completed", "failed"];

/** Every negotiation of this node that the reader may see. */
export function ListPage() {
  const { list: t } = useTexts();
  const [status, setStatus] = useState<DemandStatus | null>(null);
  const demands = useDemands(status);
  const heading = useRef<HTMLHeadingElement>(null);
  const erased = useFocusAfterErase(demands.rows, heading);
  return (
    <>
      <h1 ref={heading} tabIndex={-1}>
        {t.title}
      </h1>
      <fieldset className={styles.filter} aria-label={t.status}>
        {[null, ...STATUSES].map((one) => (
          <Button
            key={one ?? "all"}
            size="s"
            aria-pressed={status === one}
            data-testid={`list-filter-${one ?? "all"}`}
            onClick={() => setStatus(one)}
          >
            {one === null ? t.all : t.statuses[one]}
          </Button>
        ))}
      </fieldset>
      <Card aria-label={t.title}>
        {demands.problem && (
          <ProblemNote
            title={isKeyRefused(demands.problem) ? t.keyRefused : t.failed}
            problem={demands.problem}
            action={<Button onClick={demands.reload}>{t.again}</Button>}
          />
        )}
        {(demands.rows.length > 0 || demands.more) && <DemandList demands={demands} onErased={erased} />}
        {demands.rows.length === 0 && !demands.more && demands.loading && <Skeleton lines={6} />}
        {demands.rows.length === 0 && !demands.more && !demands.loading && !demands.problem && (
          <NoRows filtered={status !== null} showAll={() => setStatus(null)} />
        )}
      </Card>
    </>
  );
}

/** A key was given, and the node did not take it. */
function isKeyRefused(problem: Problem): boolean {
  return problem.code === "UNAUTHENTICATED" && session.getState().apiKey !== null;
}

function NoRows({ filtered, showAll }: { readonly filtered: boolean; readonly showAll: () => void }) {
  const { list: t } = useTexts();
  if (filtered) {
    return (
      <Empty title={t.emptyFiltered} action={<Button onClick={showAll}>{t.showAll}</Button>}>
        {t.emptyFilteredHint}
      </Empty>
    );
  }
  const write = (
    <Button variant="primary" onClick={() => go({ page: "form" })}>
      {t.emptyAction}
    </Button>
  );
  return (
    <Empty title={t.empty} action={write}>
      {t.emptyHint}
    </Empty>
  );
}
