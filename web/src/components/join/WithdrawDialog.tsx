import { useState } from "react";
import { useTexts } from "../../i18n";
import { Button, Dialog, Field } from "../../ui";

export interface WithdrawDialogProps {
  readonly open: boolean;
  readonly close: () => void;
  readonly withdraw: (reasoning: string) => void;
}

/** What cannot be taken back is asked twice. */
export function WithdrawDialog({ open, close, withdraw }: WithdrawDialogProps) {
  const { join } = useTexts();
  const [reason, setReason] = useState("");
  return (
    <Dialog
      open={open}
      onClose={close}
      title={join.withdrawTitle}
      footer={
        <>
          <Button onClick={close}>{join.stay}</Button>
          <Button variant="danger" data-testid="join-withdraw-sure" onClick={() => withdraw(reason)}>
            {join.withdrawSure}
          </Button>
        </>
      }
    >
      <p>{join.withdrawText}</p>
      <Field label={join.optional(join.withdrawReason)}>
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
