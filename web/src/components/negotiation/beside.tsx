/** What the node tells beside the events: who sits in the channel, the steps, the demand as a whole. */

import { createContext, type ReactNode, useContext, useMemo } from "react";
import { client } from "../../api/client";
import type { DemandView, Seat, Step } from "../../api/types";
import { useNegotiation } from "../../hooks/useNegotiation";
import { type Resource, useResource } from "../../hooks/useResource";
import { useSettled } from "../../hooks/useSettled";
import type { NegotiationState } from "../../state/model";
import { BesideMissing } from "./BesideMissing";
import { NoSuchNegotiation } from "./NoSuchNegotiation";
import { useSeenAgain } from "./useSeenAgain";

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
/** A finished run comes as a row of batches; the node is asked once they are all there. */
const SETTLED_MS = 60;

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
  const over = useNegotiation((state) => state.ending !== null);
  const { demandId, channelId, stage } = usePlace(source);
  const asks = source !== "file" && demandId !== null;
  const seats = useResource(
    async (signal) => (asks && channelId ? client.seats(channelId, signal) : NO_SEATS),
    [asks, channelId],
    stage,
  );
  const steps = useResource(
    async (signal) => (asks ? client.steps(demandId, signal) : NO_STEPS),
    [asks, demandId],
    stage,
  );
  const demand = useResource(
    async (signal) => (asks ? client.demand(demandId, signal) : null),
    [asks, demandId],
    stage,
  );
  // In a replay the end's reasons are not told before the end.
  const seated = source === "recorded" && !over ? NO_SEATS : (seats.data ?? NO_SEATS);
  // biome-ignore lint/correctness/useExhaustiveDependencies: a resource is new at each render, what is in it is not
  const value = useMemo(
    () => ({ source, seats: seated, steps, demand: demand.data }),
    [source, seated, steps.data, steps.problem, steps.loading, demand.data],
  );
  useSeenAgain(source === "live" && asks, demand.reload);
  // Erased elsewhere while it stood here: what is shown is kept by nobody any more.
  if (source === "live" && demand.problem?.status === 404)
    return <NoSuchNegotiation problem={demand.problem} />;
  return (
    <Current value={value}>
      <BesideMissing resources={[seats, demand]} />
      {children}
    </Current>
  );
}

/** What is to be asked for, and when anew. */
function usePlace(source: Source) {
  const demandId = useNegotiation((state) => state.demandId);
  const channelId = useNegotiation((state) => state.channelId);
  const now = useNegotiation(stageOf);
  const stage = source === "live" ? now : "";
  const place = useMemo(() => ({ demandId, channelId, stage }), [demandId, channelId, stage]);
  return useSettled(place, SETTLED_MS);
}

/** Changes where the node may tell something new: once it has understood, offers are in, with each plan, at the end. */
export function stageOf(state: NegotiationState): string {
  const { understanding, phase, offersClosed, plans, ending } = state;
  const asked = understanding === null ? "" : phase === "waiting";
  return `${asked} ${offersClosed} ${plans.length} ${ending?.kind ?? ""}`;
}
