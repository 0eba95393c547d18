/** What the node tells beside the events: who sits in the channel, the steps, the demand as a whole. */

import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef } from "react";
import { client } from "../../api/client";
import type { DemandView, Seat, Step } from "../../api/types";
import { useNegotiation } from "../../hooks/useNegotiation";
import { type Resource, useResource } from "../../hooks/useResource";
import type { NegotiationState } from "../../state/model";

/** Live, a run that the node still has and that is played back, or a file that knows events only. */
export type Source = "live" | "recorded" | "file";

export interface Beside {
  readonly source: Source;
  readonly seats: readonly Seat[];
  readonly steps: Resource<readonly Step[]>;
  readonly demand: DemandView | null;
}

const Current = createContext<Beside | null>(null);
const NO_SEATS: readonly Seat[] = [];
const NO_STEPS: readonly Step[] = [];

export function useBeside(): Beside {
  const beside = useContext(Current);
  if (beside === null) throw new Error("useBeside is for components inside a BesideProvider");
  return beside;
}

interface Props {
  readonly source: Source;
  readonly children: ReactNode;
}

export function BesideProvider({ source, children }: Props) {
  const demandId = useNegotiation((state) => state.demandId);
  const channelId = useNegotiation((state) => state.channelId);
  const over = useNegotiation((state) => state.ending !== null);
  const stage = useNegotiation(stageOf);
  const asks = source !== "file" && demandId !== null;
  const seats = useResource(
    async (signal) => (asks && channelId ? client.seats(channelId, signal) : NO_SEATS),
    [asks, channelId],
  );
  const steps = useResource(
    async (signal) => (asks ? client.steps(demandId, signal) : NO_STEPS),
    [asks, demandId],
  );
  const demand = useResource(
    async (signal) => (asks ? client.demand(demandId, signal) : null),
    [asks, demandId],
  );
  useReloads(source === "live" ? stage : "", [seats, steps, demand]);
  // In a replay the end's reasons are not told before the end.
  const seated = source === "recorded" && !over ? NO_SEATS : (seats.data ?? NO_SEATS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a resource is new at each render, what is in it is not
  const value = useMemo(
    () => ({ source, seats: seated, steps, demand: demand.data }),
    [source, seated, steps.data, steps.problem, steps.loading, demand.data],
  );
  return <Current value={value}>{children}</Current>;
}

/** Changes where the node may tell something new: when the offers are in, with each plan, at the end. */
export function stageOf({ offersClosed, plans, ending }: NegotiationState): string {
  return `${offersClosed} ${plans.length} ${ending?.kind ?? ""}`;
}

function useReloads(stage: string, resources: readonly Resource<unknown>[]): void {
  const before = useRef(stage);
  const reloads = useRef(resources);
  reloads.current = resources;
  useEffect(() => {
    if (before.current === stage) return;
    before.current = stage;
    for (const resource of reloads.current) resource.reload();
  }, [stage]);
}
