import { useEffect, useRef } from "react";

/** Does something each time the reader comes back to the page: much may have happened elsewhere meanwhile. */
export function useSeenAgain(on: boolean, act: () => void): void {
  const latest = useRef(act);
  latest.current = act;
  useEffect(() => {
    if (!on) return;
    const seen = () => {
      if (!document.hidden) latest.current();
    };
    document.addEventListener("visibilitychange", seen);
    window.addEventListener("focus", seen);
    return () => {
      document.removeEventListener("visibilitychange", seen);
      window.removeEventListener("focus", seen);
    };
  }, [on]);
}
