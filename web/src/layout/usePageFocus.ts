import { type RefObject, useEffect, useRef } from "react";
import type { Route } from "../hooks/useHashRoute";
import { useTexts } from "../i18n";

const WAIT_MS = 5_000;

/** The window is named after the page; when the page changes, the focus goes to its heading once that is there. */
export function usePageFocus(route: Route, main: RefObject<HTMLElement | null>): void {
  const { shell } = useTexts();
  const title = shell.pages[route.page];
  useEffect(() => {
    document.title = `${title} · ${shell.name}`;
  }, [title, shell.name]);
  const place = JSON.stringify(route);
  const shown = useRef(place);
  useEffect(() => {
    if (shown.current === place || !main.current) return; // the first page leaves the focus where it is
    shown.current = place;
    window.scrollTo(0, 0);
    return whenHeading(main.current, (heading) => {
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
    });
  }, [place, main]);
}

/** Wait for the heading of a page that is still being fetched, but not for ever. */
function whenHeading(main: HTMLElement, found: (heading: HTMLElement) => void): () => void {
  const look = () => {
    const heading = main.querySelector("h1");
    if (heading) found(heading);
    return heading !== null;
  };
  if (look()) return () => undefined;
  const watch = new MutationObserver(() => {
    if (look()) stop();
  });
  const timer = setTimeout(() => watch.disconnect(), WAIT_MS);
  const stop = () => {
    clearTimeout(timer);
    watch.disconnect();
  };
  watch.observe(main, { childList: true, subtree: true });
  return stop;
}
