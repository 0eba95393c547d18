import { type ReactNode, useRef, useState } from "react";
import type { Route } from "../hooks/useHashRoute";
import { useTexts } from "../i18n";
import { Toasts } from "../ui";
import { Announcer } from "./Announcer";
import { Header } from "./Header";
import { KeyDialog } from "./KeyDialog";
import { KeysDialog } from "./KeysDialog";
import styles from "./Shell.module.css";
import { useClosedDialogs } from "./useClosedDialogs";
import { useHush } from "./useHush";
import { usePageFocus } from "./usePageFocus";
import { useShellKeys } from "./useShellKeys";

/** What stands around every page. */
export function Shell({ route, children }: { readonly route: Route; readonly children: ReactNode }) {
  const { shell } = useTexts();
  const main = useRef<HTMLElement>(null);
  const [keysShown, setKeysShown] = useState(false);
  useClosedDialogs(route, () => setKeysShown(false));
  usePageFocus(route, main);
  useShellKeys(route, () => setKeysShown(true));
  useHush(route);
  return (
    <>
      <button type="button" className={styles.skip} onClick={() => main.current?.focus()}>
        {shell.skip}
      </button>
      <Header route={route} showKeys={() => setKeysShown(true)} />
      <main ref={main} tabIndex={-1} className={styles.main}>
        {children}
      </main>
      <Toasts />
      <Announcer />
      <KeyDialog />
      <KeysDialog open={keysShown} onClose={() => setKeysShown(false)} />
    </>
  );
}
