import { createStore } from "zustand/vanilla";

/** The words that the form begins with next time: in memory, so that no address carries a demand. */
const draft = createStore<{ readonly words: string }>(() => ({ words: "" }));

/** Begin the next form with these words. */
export function beginWith(words: string): void {
  draft.setState({ words });
}

export function firstWords(): string {
  return draft.getState().words;
}
