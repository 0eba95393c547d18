import { useState } from "react";
import type { DemandSummary } from "../../api/types";
import { useTexts } from "../../i18n";
import { Button } from "../../ui/Button";
import { Table } from "../../ui/Table";
import styles from "./DemandList.module.css";
import { DemandRow } from "./DemandRow";
import { EraseDialog } from "./EraseDialog";
import type { Demands } from "./useDemands";

interface Props {
  readonly demands: Demands;
  /** Told before a row leaves. */
  readonly onErased: (demandId: string) => void;
}

/** The rows that there are, the way to more, and the question before one is erased. */
export function DemandList({ demands, onErased }: Props) {
  const { list: t } = useTexts();
  const [erasing, setErasing] = useState<DemandSummary | null>(null);
  const erased = (demandId: string) => {
    onErased(demandId);
    demands.remove(demandId);
  };
  return (
    <>
      <Table
        caption={t.caption}
        head={[t.demand, t.status, t.round, t.cost, t.usage, t.created, t.actions]}
        data-testid="negotiation-list"
      >
        {demands.rows.map((row) => (
          <DemandRow key={row.demand_id} demand={row} onErase={setErasing} />
        ))}
      </Table>
      <div className={styles.foot}>
        <span className={styles.muted}>{t.shown(demands.rows.length)}</span>
        {demands.more && (
          <Button busy={demands.loading} data-testid="load-more" onClick={demands.loadMore}>
            {t.more}
          </Button>
        )}
      </div>
      <EraseDialog demand={erasing} onClose={() => setErasing(null)} onErased={erased} />
    </>
  );
}
