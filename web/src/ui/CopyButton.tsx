import { useState } from "react";
import { useTexts } from "../i18n";
import { announce } from "./announce";
import { Button } from "./Button";
import type { Marked } from "./classes";
import { Icon } from "./Icon";

export interface CopyButtonProps extends Marked {
  readonly text: string;
  /** What is copied, for those who hear the button. */
  readonly what: string;
}

export function CopyButton({ text, what, ...rest }: CopyButtonProps) {
  const { shell } = useTexts();
  const [state, setState] = useState<"ready" | "copied" | "refused">("ready");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setState("copied");
      announce(shell.copied(what));
    } catch {
      setState("refused"); // no clipboard over plain HTTP, or it was denied
      announce(shell.copyRefused);
    }
  };
  const words = { ready: shell.copy, copied: shell.copiedShort, refused: shell.copyRefused };
  return (
    <Button {...rest} size="s" variant="ghost" aria-label={`${words[state]}: ${what}`} onClick={copy}>
      <Icon name={state === "copied" ? "check" : "copy"} />
      {words[state]}
    </Button>
  );
}
