import { type ReactNode, useState } from "react";
import { useTexts } from "../../i18n";
import { Button } from "../../ui/Button";
import styles from "./LongText.module.css";

interface Props {
  readonly text: string;
  /** Lines that are shown while it is folded. */
  readonly lines?: 2 | 4;
  /** What stands around the words, but not around the button that unfolds them. */
  readonly around?: (words: ReactNode) => ReactNode;
}

const PER_LINE = 45;

/** Somebody's words, folded where they are long. Told by their length, so that nothing is measured or jumps. */
export function LongText({ text, lines = 2, around = (words) => words }: Props) {
  const { fold } = useTexts().negotiation;
  const [open, setOpen] = useState(false);
  const long = width(text) > PER_LINE * lines || text.split("\n").length > lines;
  if (!long) return around(<span dir="auto">{text}</span>);
  return (
    <>
      {around(
        <span dir="auto" className={open ? styles.open : styles[`fold${lines}`]}>
          {text}
        </span>,
      )}
      <Button
        variant="ghost"
        size="s"
        className={styles.more}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        {open ? fold.less : fold.more}
      </Button>
    </>
  );
}

/** About how wide a text is; a Chinese character takes the room of two. */
function width(text: string): number {
  let wide = 0;
  for (const character of text) wide += character > "⺀" ? 1.6 : 0.8;
  return wide;
}
