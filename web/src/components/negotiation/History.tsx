import { useNegotiation } from "../../hooks/useNegotiation";
import { DownloadButton } from "../replay/DownloadButton";
import { EventTimeline } from "../timeline/EventTimeline";
import { useBeside } from "./beside";

/** Every event, in a component of its own: nothing else on the page renders because of one more. */
export function History({ compact = false }: { readonly compact?: boolean }) {
  const events = useNegotiation((state) => state.events);
  const dropped = useNegotiation((state) => state.dropped);
  const droppedPhase = useNegotiation((state) => state.droppedPhase);
  const { source } = useBeside();
  return (
    <EventTimeline
      events={events}
      dropped={dropped}
      droppedPhase={droppedPhase}
      source={source === "file" ? "file" : "node"}
      download={source === "live" && <Download compact={compact} />}
      compact={compact}
    />
  );
}

/** All events of the node as a file, once there are all, or the page has let some go. A replay has its own button. */
function Download({ compact }: { readonly compact: boolean }) {
  const demandId = useNegotiation((state) => state.demandId);
  const over = useNegotiation((state) => state.ending !== null);
  const some = useNegotiation((state) => state.dropped > 0);
  return demandId !== null && (some || (over && !compact)) ? <DownloadButton demandId={demandId} /> : null;
}
