import { type ReactNode, useEffect, useId, useRef } from "react";
import { useTexts } from "../i18n";
import { Button } from "./Button";
import type { Marked } from "./classes";
import styles from "./Dialog.module.css";
import { Icon } from "./Icon";

export interface DialogProps extends Marked {
  readonly open: boolean;
  readonly onClose: () => void;
  readonly title: string;
  readonly children: ReactNode;
  readonly footer?: ReactNode;
}

/** A modal dialog; the browser keeps the focus in it, closes it on Escape and gives the focus back. */
export function Dialog({ open, onClose, title, children, footer, ...rest }: DialogProps) {
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const { shell } = useTexts();
  useEffect(() => {
    const shown = dialog.current;
    if (!open || !shown) return;
    if (!shown.open) show(shown);
    return () => shown.close?.();
  }, [open]);
  if (!open) return null;
  const cancel = (event: { preventDefault(): void }) => {
    event.preventDefault(); // the owner closes it, by `open`
    onClose();
  };
  return (
    <dialog {...rest} ref={dialog} className={styles.dialog} aria-labelledby={id} onCancel={cancel}>
      <header className={styles.head}>
        <h2 id={id}>{title}</h2>
        <Button variant="ghost" size="s" aria-label={shell.close} onClick={onClose}>
          <Icon name="cross" />
        </Button>
      </header>
      <div className={styles.body}>{children}</div>
      {footer && <footer className={styles.foot}>{footer}</footer>}
    </dialog>
  );
}

/** Modal where the browser can; else at least open. */
function show(dialog: HTMLDialogElement) {
  if (typeof dialog.showModal === "function") dialog.showModal();
  else dialog.setAttribute("open", "");
}
