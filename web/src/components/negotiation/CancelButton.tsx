import { useState } from "react";
import { client } from "../../api/client";
import { asProblem } from "../../api/problem";
import { useTexts } from "../../i18n";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { useToast } from "../../ui/Toast";

/** Ends the demand, after a question. */
export function CancelButton({ demandId }: { readonly demandId: string }) {
  const { cancel: texts } = useTexts().negotiation;
  const toast = useToast();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const cancel = async () => {
    setBusy(true);
    try {
      const { status } = await client.cancel(demandId);
      toast(texts[status], status === "cancelled" ? "neutral" : "warn");
      setAsking(false);
    } catch (thrown) {
      const { message, why, code } = asProblem(thrown);
      toast([message || code, why].filter(Boolean).join(" "), "bad");
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button size="s" data-testid="cancel" onClick={() => setAsking(true)}>
        {texts.button}
      </Button>
      <Dialog
        open={asking}
        onClose={() => setAsking(false)}
        title={texts.title}
        data-testid="cancel-dialog"
        footer={
          <>
            <Button onClick={() => setAsking(false)}>{texts.keep}</Button>
            <Button variant="danger" busy={busy} data-testid="cancel-confirm" onClick={cancel}>
              {texts.confirm}
            </Button>
          </>
        }
      >
        <p>{texts.text}</p>
      </Dialog>
    </>
  );
}
