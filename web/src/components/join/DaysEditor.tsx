import { useRef, useState } from "react";
import { useLang, useTexts } from "../../i18n";
import { day } from "../../i18n/formats";
import { Button, Icon } from "../../ui";
import type { ControlProps } from "../../ui/Field";
import styles from "./Join.module.css";

export interface DaysEditorProps extends ControlProps {
  readonly days: readonly string[];
  readonly change: (days: readonly string[]) => void;
}

/** Single days, each added by its picker. Lives inside a `Field`. */
export function DaysEditor({ days, change, ...control }: DaysEditorProps) {
  const { join } = useTexts();
  const { lang } = useLang();
  const [picked, setPicked] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const add = () => {
    if (picked !== "") change([...new Set([...days, picked])].sort());
    setPicked("");
  };
  const remove = (day: string) => {
    change(days.filter((kept) => kept !== day));
    input.current?.focus();
  };
  return (
    <div className={styles.form}>
      <div className={styles.entry}>
        <input
          {...control}
          ref={input}
          type="date"
          value={picked}
          onChange={(event) => setPicked(event.target.value)}
        />
        <Button onClick={add} disabled={picked === ""}>
          <Icon name="plus" />
          {join.addDate}
        </Button>
      </div>
      {days.length > 0 && (
        <ul className={styles.tags}>
          {days.map((one) => (
            <li key={one}>
              {day(one, lang)}
              <Button
                size="s"
                variant="ghost"
                aria-label={join.removeDate(day(one, lang))}
                onClick={() => remove(one)}
              >
                <Icon name="cross" />
              </Button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
