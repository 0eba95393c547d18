import { useState } from "react";
import { useStore } from "zustand";
import { go } from "../hooks/useHashRoute";
import { useTexts } from "../i18n";
import { noEntries } from "../state/read";
import { type KeyKind, session } from "../state/session";
import { announce, Button, Dialog } from "../ui";

/** Takes the keys out of the page's memory; there only while there is one. */
export function ForgetKeys() {
  const { forget: texts } = useTexts().shell;
  const held: Readonly<Record<KeyKind, boolean>> = {
    api: useStore(session, (state) => state.apiKey !== null),
    admin: useStore(session, (state) => state.adminKey !== null),
  };
  const kinds = (["api", "admin"] as const).filter((kind) => held[kind]);
  const [open, setOpen] = useState(false);
  if (kinds.length === 0) return null;
  const take = (kind: KeyKind) => {
    setOpen(false);
    forget(kind);
    go({ page: "form" });
    announce(texts.done);
  };
  return (
    <>
      <Button variant="ghost" size="s" data-testid="keys-kept" onClick={() => setOpen(true)}>
        {texts.open}
      </Button>
      <Dialog data-testid="forget-dialog" open={open} onClose={() => setOpen(false)} title={texts.title}>
        <p>{texts.text}</p>
        {kinds.includes("api") && <p>{texts.apiAlso}</p>}
        {kinds.map((kind) => (
          <p key={kind}>
            <Button data-testid={`forget-${kind}`} onClick={() => take(kind)}>
              {texts[kind]}
            </Button>
          </p>
        ))}
      </Dialog>
    </>
  );
}

/** With the API key goes what it has opened: the streams' tokens and the links of people. */
function forget(kind: KeyKind): void {
  session.setState(
    kind === "admin"
      ? { adminKey: null }
      : { apiKey: null, streamTokens: noEntries(), participantLinks: noEntries() },
  );
}
