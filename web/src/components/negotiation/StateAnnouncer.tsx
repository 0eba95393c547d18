import { useEffect, useRef } from "react";
import { useConnection, useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { announce } from "../../ui/announce";
import { useBeside } from "./beside";
import { useStateText } from "./StateLine";

/**
 * Says aloud where the negotiation stands when that changes, and nothing else: offers would drown it.
 * A replay is silent: whoever seeks in it hears the position.
 */
export function StateAnnouncer() {
  const { negotiation: texts } = useTexts();
  const words = useStateText();
  const round = useNegotiation((state) => state.round);
  const most = useNegotiation((state) => state.maxRounds);
  const { kind } = useConnection();
  const live = useBeside().source === "live";
  useOnChange(words, () => live && announce(words));
  useOnChange(round, () => live && announce(texts.round(round, most)));
  useOnChange(kind, (before) => {
    if (kind === "lost") announce(texts.connection.lostTitle);
    else if (kind === "live" && before === "reconnecting") announce(texts.connection.back);
  });
  return null;
}

/** Not at first: what a page opens with is read by whoever opens it. */
function useOnChange<T>(value: T, changed: (before: T) => unknown): void {
  const before = useRef(value);
  const act = useRef(changed);
  act.current = changed;
  useEffect(() => {
    if (before.current === value) return;
    const last = before.current;
    before.current = value;
    act.current(last);
  }, [value]);
}
