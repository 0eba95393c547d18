import { type ChangeEvent, useState } from "react";
import { hrefTo } from "../../hooks/useHashRoute";
import { useTexts } from "../../i18n";
import type { Recording } from "../../state/replay";
import { Card } from "../../ui/Card";
import { Field } from "../../ui/Field";
import styles from "./Replay.module.css";
import { readRecording } from "./readRecording";

/** Opens a recording from the reader's disk. */
export function ImportPanel({ onOpen }: { readonly onOpen: (recording: Recording) => void }) {
  const { replay: t } = useTexts();
  const [fault, setFault] = useState<string | null>(null);
  const [reading, setReading] = useState(false);
  const choose = async (event: ChangeEvent<HTMLInputElement>) => {
    const input = event.target;
    const file = input.files?.[0];
    if (!file) return;
    setReading(true);
    setFault(null);
    const read = await readRecording(file);
    setReading(false);
    input.value = ""; // so that the same file can be chosen again
    if (typeof read === "string") setFault(t.refused(t.faults[read]));
    else onOpen(read);
  };
  return (
    <div className={styles.choices}>
      <Card title={t.open}>
        <p>{t.intro}</p>
        <Field label={t.importLabel} hint={reading ? t.reading : t.importHint} error={fault}>
          <input
            type="file"
            accept="application/json,.json"
            className={styles.file}
            data-testid="import"
            onChange={(event) => void choose(event)}
          />
        </Field>
      </Card>
      <Card title={t.fromNode}>
        <p>{t.fromNodeHint}</p>
        <p>
          <a href={hrefTo({ page: "list" })}>{t.toList}</a>
        </p>
      </Card>
    </div>
  );
}
