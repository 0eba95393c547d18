import { type ReactNode, useMemo, useState } from "react";
import { NegotiationProvider } from "../../hooks/useNegotiation";
import { useReplay } from "../../hooks/useReplay";
import type { Recording } from "../../state/replay";
import { createNegotiationStore } from "../../state/store";
import { NegotiationView } from "../negotiation/NegotiationView";
import { ReplayBar } from "./ReplayBar";

export interface ReplayStageProps {
  readonly recording: Recording;
  /** A run that the node still has, or a file that knows events only. */
  readonly source: "recorded" | "file";
  /** Further buttons of the bar. */
  readonly children?: ReactNode;
}

/** The page of a negotiation as it was after each of its events. */
export function ReplayStage({ recording, source, children }: ReplayStageProps) {
  const [store] = useState(createNegotiationStore);
  const replay = useReplay(recording, store);
  // The clock of the bar ticks often; the page below hears from its store.
  const view = useMemo(
    () => (
      <NegotiationProvider store={store}>
        <NegotiationView source={source} />
      </NegotiationProvider>
    ),
    [store, source],
  );
  return (
    <>
      <ReplayBar replay={replay} recording={recording}>
        {children}
      </ReplayBar>
      {view}
    </>
  );
}
