import { useState } from "react";
import { NegotiationView } from "../components/negotiation/NegotiationView";
import { NegotiationProvider } from "../hooks/useNegotiation";
import { useSSE } from "../hooks/useSSE";
import { createNegotiationStore } from "../state/store";

interface Props {
  readonly demandId: string;
}

/** One negotiation, live. Another demand is another page with a store of its own. */
export function NegotiationPage({ demandId }: Props) {
  return <Live key={demandId} demandId={demandId} />;
}

function Live({ demandId }: Props) {
  const [store] = useState(createNegotiationStore);
  const { reconnect, problem } = useSSE(demandId, store);
  return (
    <NegotiationProvider store={store}>
      <NegotiationView source="live" onReconnect={reconnect} problem={problem} />
    </NegotiationProvider>
  );
}
