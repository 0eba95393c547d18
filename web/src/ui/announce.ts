import { createStore } from "zustand/vanilla";

/** What the page says aloud, politely; the number makes the same words twice two announcements. */
export const announcements = createStore<{ readonly text: string; readonly number: number }>(() => ({
  text: "",
  number: 0,
}));

/** What was said belongs to a page that is gone: whoever reads the region finds nothing there. */
export function hush(): void {
  announcements.setState({ text: "" });
}

/** Say something to those who hear the page. */
export function announce(text: string): void {
  announcements.setState(({ number }) => ({ text, number: number + 1 }));
}
