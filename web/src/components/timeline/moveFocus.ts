import type { KeyboardEvent } from "react";

const ROW = "[data-event-row]";

/** Arrow keys go from row to row; Home and End stay with the box, which scrolls. */
export function moveFocus(event: KeyboardEvent<HTMLElement>, onMoved: (eventId: string) => void): void {
  const step = event.key === "ArrowDown" ? 1 : event.key === "ArrowUp" ? -1 : 0;
  const from = event.target;
  if (step === 0 || !(from instanceof HTMLElement) || !from.matches(ROW)) return;
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>(ROW)];
  const next = rows[rows.indexOf(from) + step];
  if (!next) return;
  event.preventDefault();
  onMoved(next.dataset.eventRow ?? "");
  next.focus();
}
