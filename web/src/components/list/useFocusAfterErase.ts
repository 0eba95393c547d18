import { type RefObject, useEffect, useRef } from "react";
import type { DemandSummary } from "../../api/types";

type Rows = readonly DemandSummary[];

const LINKS = '[data-testid="negotiation-list"] tbody th a';

/** The button that had the focus goes with its row: the row in its place gets it, or the heading when none is left. */
export function useFocusAfterErase(rows: Rows, heading: RefObject<HTMLElement | null>) {
  const gone = useRef<number | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: it is looked at again when the rows change
  useEffect(() => {
    const at = gone.current;
    if (at === null) return;
    gone.current = null;
    const links = document.querySelectorAll<HTMLElement>(LINKS);
    (links[Math.min(at, links.length - 1)] ?? heading.current)?.focus();
  }, [rows, heading]);
  return (demandId: string) => {
    gone.current = rows.findIndex((row) => row.demand_id === demandId);
  };
}
