import { useStore } from "zustand";
import { hotkeys, switchKeys } from "../hooks/hotkeys";
import { useTexts } from "../i18n";
import { Dialog } from "../ui";
import styles from "./KeysDialog.module.css";

/** Every key that is bound now, and the switch for all of them. */
export function KeysDialog({ open, onClose }: { readonly open: boolean; readonly onClose: () => void }) {
  const { shell } = useTexts();
  const { bound, on } = useStore(hotkeys);
  return (
    <Dialog data-testid="keys-dialog" open={open} onClose={onClose} title={shell.keys}>
      <p>{shell.keysIntro}</p>
      <dl className={styles.keys}>
        {bound.map(({ keys, label }) => (
          <div key={`${keys} ${label}`}>
            <dt>
              {keys.split(" ").map((key, index) => (
                <span key={key}>
                  {index > 0 && ` ${shell.andThen} `}
                  <kbd>{key}</kbd>
                </span>
              ))}
            </dt>
            <dd>{label}</dd>
          </div>
        ))}
      </dl>
      <label className={styles.switch}>
        <input type="checkbox" checked={on} onChange={(event) => switchKeys(event.target.checked)} />
        {shell.keysOn}
      </label>
    </Dialog>
  );
}
