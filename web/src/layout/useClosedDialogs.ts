import { useLayoutEffect, useRef } from "react";
import type { Route } from "../hooks/useHashRoute";
import { session } from "../state/session";

/** Whoever goes to another page leaves the questions of the one before: its key is not asked for any more. */
export function useClosedDialogs(route: Route, close: () => void): void {
  const place = JSON.stringify(route);
  const shown = useRef(place);
  const act = useRef(close);
  act.current = close;
  // Before the effects of the new page, which may ask for a key itself.
  useLayoutEffect(() => {
    if (shown.current === place) return;
    shown.current = place;
    session.getState().dismiss();
    act.current();
  }, [place]);
}
