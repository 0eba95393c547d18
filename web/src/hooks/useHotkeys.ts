import { useEffect, useRef } from "react";
import { bind, type Hotkey } from "./hotkeys";

/** Bind keys while a component is there; they are shown in the dialog of keys. */
export function useHotkeys(keys: readonly Hotkey[]): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  const names = keys.map((one) => `${one.keys}\u0000${one.label}`).join("\u0001");
  useEffect(() => {
    if (names === "") return;
    const bound = names.split("\u0001").map((name, index): Hotkey => {
      const [pressed = "", label = ""] = name.split("\u0000");
      return { keys: pressed, label, run: () => latest.current[index]?.run() };
    });
    return bind(bound);
  }, [names]);
}
