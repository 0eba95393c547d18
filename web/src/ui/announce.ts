import { createStore } from "zustand/vanilla";

/** What the page says aloud, politely; the number makes the same words twice two announcements. */
export const announcements = createStore<{ readonly text: string; readonly number: number }>(() => ({
  text: "",
  number: 0,
}));

/** Say something to those who hear the page. */
export function announce(text: string): void {
  announcements.setState(({ number }) => ({ text, number: number + 1 }));
}
