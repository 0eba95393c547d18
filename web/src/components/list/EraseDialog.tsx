import { useState } from "react";
import { client } from "../../api/client";
import { asProblem } from "../../api/problem";
import type { DemandSummary } from "../../api/types";
import { useLang, useTexts } from "../../i18n";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { problemLine } from "../../ui/problemWords";
import { useToast } from "../../ui/Toast";
import styles from "./DemandList.module.css";

export interface EraseDialogProps {
  /** Null: nothing is to be erased. */
  readonly demand: DemandSummary | null;
  readonly onClose: () => void;
  readonly onErased: (demandId: string) => void;
}

export function EraseDialog({ demand, onClose, onErased }: EraseDialogProps) {
  const { list: t, errors } = useTexts();
  const { lang } = useLang();
  const toast = useToast();
  const [busy, setBusy] = useState(false);
  const erase = async () => {
    if (!demand) return;
    setBusy(true);
    try {
      await client.erase(demand.demand_id);
      onErased(demand.demand_id);
      toast(t.erased, "good");
      onClose();
    } catch (thrown) {
      toast(problemLine(asProblem(thrown), errors, lang), "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <Dialog
      open={demand !== null}
      onClose={onClose}
      title={t.eraseTitle}
      data-testid="erase-dialog"
      footer={
        <>
          <Button onClick={onClose}>{t.keep}</Button>
          <Button variant="danger" busy={busy} data-testid="erase-confirm" onClick={() => void erase()}>
            {t.erase}
          </Button>
        </>
      }
    >
      <p className={styles.quoted}>{demand?.raw_input}</p>
      <p>{t.eraseBody}</p>
    </Dialog>
  );
}
