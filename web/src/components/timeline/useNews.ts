/** How many rows came since the reader left the end of the list. */

import { useState } from "react";
import type { PlacedRow } from "./sections";

export interface News {
  readonly unseen: number;
  readonly onAtEnd: (atEnd: boolean) => void;
}

/** `total` counts all events of the run so far. */
export function useNews(shown: readonly PlacedRow[], total: number): News {
  /** Null while the reader is at the end; else how many events there were when it was left. */
  const [seen, setSeen] = useState<number | null>(null);
  if (seen !== null && shown.length === 0) setSeen(null); // the list that comes back begins at its end
  const behind = seen === null ? 0 : shown.filter(({ position }) => position >= seen).length;
  return { unseen: behind, onAtEnd: (atEnd) => setSeen(atEnd ? null : total) };
}
