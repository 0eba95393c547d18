import { createStore } from "zustand/vanilla";
import type { Tone } from "./Badge";

export interface ToastMessage {
  readonly id: number;
  readonly text: string;
  readonly tone: Tone;
}

export const toasts = createStore<{ readonly shown: readonly ToastMessage[]; readonly next: number }>(() => ({
  shown: [],
  next: 1,
}));

const MOST = 4;

/** Show a short message at the edge of the page. */
export function toast(text: string, tone: Tone = "neutral"): void {
  toasts.setState(({ shown, next }) => ({
    shown: [...shown, { id: next, text, tone }].slice(-MOST),
    next: next + 1,
  }));
}

export function dismiss(id: number): void {
  toasts.setState(({ shown }) => ({ shown: shown.filter((one) => one.id !== id) }));
}
