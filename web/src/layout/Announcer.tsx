import { useStore } from "zustand";
import { announcements } from "../ui/announce";

/** Where `announce` speaks. The same words again differ by a space that nobody hears, so that they are said again. */
export function Announcer() {
  const { text, number } = useStore(announcements);
  return (
    <div data-testid="announcer" role="status" aria-live="polite" className="visually-hidden">
      {number % 2 === 0 ? text : `${text}\u00a0`}
    </div>
  );
}
