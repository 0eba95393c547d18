import { useNegotiation } from "../../hooks/useNegotiation";
import { EventTimeline } from "../timeline/EventTimeline";

/** Every event, in a component of its own: nothing else on the page renders because of one more. */
export function History({ compact = false }: { readonly compact?: boolean }) {
  const events = useNegotiation((state) => state.events);
  const dropped = useNegotiation((state) => state.dropped);
  return <EventTimeline events={events} dropped={dropped} compact={compact} />;
}
