import { useEffect, useRef } from "react";
import type { Route } from "../hooks/useHashRoute";
import { hush } from "../ui/announce";

/** What a page said aloud goes with it. What the form says last is about the page that follows. */
export function useHush(route: Route): void {
  const place = JSON.stringify(route);
  const before = useRef({ place, page: route.page });
  useEffect(() => {
    const left = before.current;
    before.current = { place, page: route.page };
    if (left.place !== place && left.page !== "form") hush();
  }, [place, route.page]);
}
