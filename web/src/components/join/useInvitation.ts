import { useCallback, useEffect, useState } from "react";
import { client } from "../../api/client";
import { asProblem, type Problem } from "../../api/problem";
import type { Invitation } from "../../api/types";

export const POLL_MS = 3_000;

export interface Invited {
  readonly invitation: Invitation | null;
  /** The last look failed. With status 401 the link opens nothing (any more), and nobody looks again. */
  readonly problem: Problem | null;
  readonly look: () => void;
}

/** Looks at an invitation again and again, but not while nobody sees the page. */
export function useInvitation(channelId: string, token: string): Invited {
  const [invitation, setInvitation] = useState<Invitation | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [asked, setAsked] = useState(0);
  const look = useCallback(() => setAsked((before) => before + 1), []);
  const closed = shut(problem);

  // biome-ignore lint/correctness/useExhaustiveDependencies: `asked` counts the looks that somebody wants at once
  useEffect(() => {
    if (closed) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const once = async () => {
      clearTimeout(timer);
      try {
        const seen = await client.invitation(channelId, token, abort.signal);
        if (abort.signal.aborted) return;
        setInvitation(seen);
        setProblem(null);
      } catch (thrown) {
        if (abort.signal.aborted) return;
        setProblem(asProblem(thrown));
      }
      if (!document.hidden) timer = setTimeout(once, POLL_MS);
    };
    const seen = () => {
      clearTimeout(timer);
      if (!document.hidden) void once();
    };
    void once();
    document.addEventListener("visibilitychange", seen);
    return () => {
      abort.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [channelId, token, asked, closed]);

  return { invitation, problem, look };
}

/** Whether a link is none (any more): what is not there now will not come back. */
export function shut(problem: Problem | null): boolean {
  return problem !== null && (problem.status === 401 || problem.status === 404);
}
