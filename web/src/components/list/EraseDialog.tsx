import { useState } from "react";
import { client } from "../../api/client";
import { asProblem, type Problem } from "../../api/problem";
import type { DemandSummary } from "../../api/types";
import { useTexts } from "../../i18n";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { useToast } from "../../ui/Toast";
import styles from "./DemandList.module.css";

export interface EraseDialogProps {
  /** Null: nothing is to be erased. */
  readonly demand: DemandSummary | null;
  readonly onClose: () => void;
  readonly onErased: (demandId: string) => void;
}

export function EraseDialog({ demand, onClose, onErased }: EraseDialogProps) {
  const { list: t } = useTexts();
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const close = () => {
    setProblem(null);
    onClose();
  };
  const erase = async () => {
    if (!demand) return;
    setBusy(true);
    setProblem(null);
    try {
      await client.erase(demand.demand_id);
      onErased(demand.demand_id);
      toast(t.erased, "good");
      close();
    } catch (thrown) {
      setProblem(asProblem(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open={demand !== null}
      onClose={close}
      title={t.eraseTitle}
      data-testid="erase-dialog"
      footer={
        <>
          <Button onClick={close}>{t.keep}</Button>
          <Button variant="danger" busy={busy} data-testid="erase-confirm" onClick={() => void erase()}>
            {t.erase}
          </Button>
        </>
      }
    >
      <p className={styles.quoted} dir="auto">
        {demand?.raw_input}
      </p>
      <p>{t.eraseBody}</p>
      {problem && <ProblemNotice problem={problem} />}
    </Dialog>
  );
}
