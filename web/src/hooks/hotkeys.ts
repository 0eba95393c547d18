import { createStore } from "zustand/vanilla";

/** A key, or two after one another ("g n"), and what it does. */
export interface Hotkey {
  readonly keys: string;
  readonly label: string;
  readonly run: () => void;
}

interface Hotkeys {
  readonly bound: readonly Hotkey[];
  readonly on: boolean;
}

const STORE_KEY = "moothall.keys";
const PAUSE_MS = 1_500;

/** What is bound now; the page that goes takes its keys along. */
export const hotkeys = createStore<Hotkeys>(() => ({ bound: [], on: kept() }));

/** Bind keys; the answer unbinds them. */
export function bind(added: readonly Hotkey[]): () => void {
  hotkeys.setState(({ bound }) => ({ bound: [...bound, ...added] }));
  return () => hotkeys.setState(({ bound }) => ({ bound: bound.filter((one) => !added.includes(one)) }));
}

/** Single keys can be in the way of speech input; hence they can be switched off. */
export function switchKeys(on: boolean): void {
  hotkeys.setState({ on });
  try {
    localStorage.setItem(STORE_KEY, on ? "on" : "off");
  } catch {
    // storage is switched off: the choice lasts as long as the page
  }
}

/** Reads keys one by one: a listener that knows what came just before. */
export function keyReader(): (event: KeyboardEvent) => void {
  let before = "";
  let at = Number.NEGATIVE_INFINITY;
  return (event) => {
    const { bound, on } = hotkeys.getState();
    if (!on || event.defaultPrevented || event.isComposing || held(event) || busy(event.target)) return;
    const first = event.timeStamp - at < PAUSE_MS ? before : "";
    const match = find(bound, `${first} ${event.key}`) ?? find(bound, event.key);
    before = match ? "" : event.key;
    at = event.timeStamp;
    if (!match) return;
    event.preventDefault();
    match.run();
  };
}

function find(bound: readonly Hotkey[], keys: string): Hotkey | undefined {
  return bound.findLast((one) => one.keys === keys); // the page's own before the shell's
}

function held(event: KeyboardEvent): boolean {
  return event.ctrlKey || event.metaKey || event.altKey;
}

function busy(target: EventTarget | null): boolean {
  if (document.querySelector("dialog[open]")) return true;
  return (
    target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null
  );
}

function kept(): boolean {
  try {
    return localStorage.getItem(STORE_KEY) !== "off";
  } catch {
    return true;
  }
}
