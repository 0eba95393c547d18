import { useState } from "react";
import { client } from "../../api/client";
import { asProblem, type Problem } from "../../api/problem";
import { useTexts } from "../../i18n";
import { Button } from "../../ui/Button";
import { Dialog } from "../../ui/Dialog";
import { ProblemNotice } from "../../ui/ProblemNotice";
import { useToast } from "../../ui/Toast";

/** Ends the demand, after a question. */
export function CancelButton({ demandId }: { readonly demandId: string }) {
  const { cancel: texts } = useTexts().negotiation;
  const toast = useToast();
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const ask = (open: boolean) => {
    setAsking(open);
    setProblem(null);
  };
  const cancel = async () => {
    setBusy(true);
    setProblem(null);
    try {
      const { status } = await client.cancel(demandId);
      toast(texts[status], status === "cancelled" ? "neutral" : "warn");
      ask(false);
    } catch (thrown) {
      setProblem(asProblem(thrown));
    } finally {
      setBusy(false);
    }
  };
  return (
    <>
      <Button size="s" data-testid="cancel" onClick={() => ask(true)}>
        {texts.button}
      </Button>
      <Dialog
        open={asking}
        onClose={() => ask(false)}
        title={texts.title}
        data-testid="cancel-dialog"
        footer={
          <>
            <Button onClick={() => ask(false)}>{texts.keep}</Button>
            <Button variant="danger" busy={busy} data-testid="cancel-confirm" onClick={cancel}>
              {texts.confirm}
            </Button>
          </>
        }
      >
        <p>{texts.text}</p>
        {problem && <ProblemNotice problem={problem} />}
      </Dialog>
    </>
  );
}
