import { useState } from "react";
import { useTexts } from "../../i18n";
import { Button, Dialog, Field } from "../../ui";

export interface WithdrawDialogProps {
  readonly open: boolean;
  /** It is a no to the last question, and nobody else is looked for after it. */
  readonly last: boolean;
  readonly close: () => void;
  readonly withdraw: (reasoning: string) => void;
}

/** What cannot be taken back is asked twice. */
export function WithdrawDialog({ open, last, close, withdraw }: WithdrawDialogProps) {
  const { join } = useTexts();
  const texts = last
    ? join.lastWord
    : { title: join.withdrawTitle, text: join.withdrawText, sure: join.withdrawSure, keep: join.stay };
  const [reason, setReason] = useState("");
  return (
    <Dialog
      open={open}
      onClose={close}
      title={texts.title}
      footer={
        <>
          <Button onClick={close}>{texts.keep}</Button>
          <Button variant="danger" data-testid="join-withdraw-sure" onClick={() => withdraw(reason)}>
            {texts.sure}
          </Button>
        </>
      }
    >
      <p>{texts.text}</p>
      <Field label={join.optional(last ? join.lastWord.reason : join.withdrawReason)}>
        <textarea
          rows={3}
          maxLength={2000}
          value={reason}
          onChange={(event) => setReason(event.target.value)}
        />
      </Field>
    </Dialog>
  );
}
