/** Plays a recording into a store. */

import { useCallback, useEffect, useMemo, useState } from "react";
import { REPLAY } from "../state/connection";
import { elapsedAt, positionAt, type Recording } from "../state/replay";
import { createSeeker } from "../state/seek";
import type { NegotiationStore } from "../state/store";

const TICK_MS = 50;

export interface Replay {
  readonly play: () => void;
  readonly pause: () => void;
  /** Show the first `position` events; it goes on from there if it was playing. */
  readonly seek: (position: number) => void;
  readonly speed: number;
  readonly setSpeed: (speed: number) => void;
  readonly position: number;
  readonly total: number;
  readonly playing: boolean;
}

interface Player {
  readonly recording: Recording;
  readonly position: number;
  readonly playing: boolean;
  /** Counts the moments from which the clock runs anew. */
  readonly start: number;
}

export function useReplay(recording: Recording, store: NegotiationStore): Replay {
  const [held, setPlayer] = useState<Player>(() => begin(recording));
  const [speed, setSpeed] = useState(1);
  const player = held.recording === recording ? held : begin(recording);
  if (player !== held) setPlayer(player);
  const { position, playing, start } = player;
  const total = recording.events.length;

  useShown(store, recording, position);

  // biome-ignore lint/correctness/useExhaustiveDependencies: the position moves while the clock runs; `start` restarts it
  useEffect(() => {
    if (!playing) return;
    const begun = Date.now() - elapsedAt(recording, position, speed);
    const timer = setInterval(() => {
      const due = positionAt(recording, Date.now() - begun, speed);
      setPlayer((before) => ({ ...before, position: due, playing: due < total }));
    }, TICK_MS);
    return () => clearInterval(timer);
  }, [recording, playing, speed, start, total]);

  const jump = useCallback((change: (before: Player) => Partial<Player>) => {
    setPlayer((before) => ({ ...before, ...change(before), start: before.start + 1 }));
  }, []);
  const play = useCallback(
    () => jump((before) => ({ playing: true, position: before.position >= total ? 0 : before.position })),
    [jump, total],
  );
  const pause = useCallback(() => jump(() => ({ playing: false })), [jump]);
  const seek = useCallback(
    (to: number) => jump(() => ({ position: Math.min(Math.max(0, Math.trunc(to) || 0), total) })),
    [jump, total],
  );

  return { play, pause, seek, speed, setSpeed, position, total, playing };
}

function begin(recording: Recording): Player {
  return { recording, position: 0, playing: true, start: 0 };
}

function useShown(store: NegotiationStore, recording: Recording, position: number): void {
  const seek = useMemo(() => createSeeker(recording.events), [recording]);
  useEffect(() => store.getState().connected(REPLAY), [store]);
  useEffect(() => store.setState({ negotiation: seek(position) }), [store, seek, position]);
}
