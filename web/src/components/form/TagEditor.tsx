import { type KeyboardEvent, useRef, useState } from "react";
import { useTexts } from "../../i18n";
import { Button, Icon } from "../../ui";
import type { ControlProps } from "../../ui/Field";
import styles from "./TagEditor.module.css";

export interface TagEditorProps extends ControlProps {
  readonly tags: readonly string[];
  readonly change: (tags: readonly string[]) => void;
  readonly most: number;
  readonly longest: number;
  readonly "data-testid"?: string;
}

const SEPARATORS = /[,，、;；\n]+/;

/** Capabilities as chips: Enter or a comma adds one, a press on its cross takes it away. Lives inside a `Field`. */
export function TagEditor({ tags, change, most, longest, ...control }: TagEditorProps) {
  const { form } = useTexts();
  const [typed, setTyped] = useState("");
  const [refused, setRefused] = useState<string | null>(null);
  const input = useRef<HTMLInputElement>(null);

  const add = (words: string) => {
    const fresh = words
      .split(SEPARATORS)
      .map((one) => one.trim())
      .filter(Boolean);
    if (fresh.length === 0) return;
    const all = [...new Set([...tags, ...fresh])];
    const long = fresh.some((one) => [...one].length > longest);
    const fault = long ? form.tags.long(longest) : all.length > most ? form.tags.many(most) : null;
    setRefused(fault ?? (all.length < tags.length + fresh.length ? form.tags.twice : null));
    if (fault) return;
    change(all);
    setTyped("");
  };
  const remove = (tag: string) => {
    change(tags.filter((one) => one !== tag));
    setRefused(null);
    input.current?.focus();
  };
  const pressed = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing || event.ctrlKey || event.metaKey) return;
    if (event.key !== "Enter" && !SEPARATORS.test(event.key)) return;
    event.preventDefault();
    add(typed);
  };

  return (
    <div className={styles.editor}>
      <div className={styles.entry}>
        <input
          {...control}
          ref={input}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          onKeyDown={pressed}
          onBlur={() => add(typed)}
        />
        <Button onClick={() => add(typed)}>
          <Icon name="plus" />
          {form.tags.add}
        </Button>
      </div>
      {/* as high without tags as with them: leaving the field must not move what is being pressed */}
      <div className={styles.row}>
        {tags.length === 0 && <span className={styles.hint}>{form.tags.hint}</span>}
        {tags.length > 0 && (
          <ul className={styles.tags}>
            {tags.map((tag) => (
              <li key={tag} className={styles.tag}>
                {tag}
                <button type="button" aria-label={form.tags.remove(tag)} onClick={() => remove(tag)}>
                  <Icon name="cross" />
                </button>
              </li>
            ))}
          </ul>
        )}
      </div>
      <p role="alert" className={styles.refused}>
        {refused}
      </p>
    </div>
  );
}
