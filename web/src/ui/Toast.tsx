import { useEffect } from "react";
import { useStore } from "zustand";
import { useTexts } from "../i18n";
import type { Tone } from "./Badge";
import { Button } from "./Button";
import { classes } from "./classes";
import { Icon } from "./Icon";
import styles from "./Toast.module.css";
import { dismiss, type ToastMessage, toast, toasts } from "./toasts";

const STAYS_MS = 7_000;

/** A function that shows a message: `useToast()("Saved", "good")`. */
export function useToast(): (message: string, tone?: Tone) => void {
  return toast;
}

/** Where messages appear; stands once in the page. */
export function Toasts() {
  const shown = useStore(toasts, (state) => state.shown);
  return (
    <div className={styles.stack} role="status">
      {shown.map((message) => (
        <Toast key={message.id} message={message} />
      ))}
    </div>
  );
}

function Toast({ message }: { readonly message: ToastMessage }) {
  const { shell } = useTexts();
  const { id, text, tone } = message;
  useEffect(() => {
    if (tone === "bad" || tone === "warn") return; // what went wrong stays until it was read
    const timer = setTimeout(() => dismiss(id), STAYS_MS);
    return () => clearTimeout(timer);
  }, [id, tone]);
  return (
    <div className={classes(styles.toast, styles[tone])}>
      <span>{text}</span>
      <Button variant="ghost" size="s" aria-label={shell.dismiss} onClick={() => dismiss(id)}>
        <Icon name="cross" />
      </Button>
    </div>
  );
}
