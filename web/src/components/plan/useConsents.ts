import { useMemo } from "react";
import { useNegotiation } from "../../hooks/useNegotiation";
import { type Consents, consentsOf } from "./consent";
import type { Version } from "./versions";

/** How those in a version of the plan consented to it, by what has been said so far. */
export function useConsents(version: Version): Consents {
  const rounds = useNegotiation((state) => state.rounds);
  const standIns = useNegotiation((state) => state.standIns);
  const subs = useNegotiation((state) => state.subs);
  const ending = useNegotiation((state) => state.ending);
  return useMemo(
    () => consentsOf(version, { rounds, standIns, subs, ending }),
    [version, rounds, standIns, subs, ending],
  );
}
