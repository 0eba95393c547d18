import { useNegotiation } from "../../hooks/useNegotiation";
import { useTexts } from "../../i18n";
import { useBeside } from "./beside";
import { Explained } from "./Explained";

/** REPLAY: played back now, or live and told by the node to be a recording. */
export function ReplayMark() {
  const { negotiation } = useTexts();
  const demo = useNegotiation((state) => state.demo);
  const replayed = useBeside().source !== "live";
  if (!replayed && !demo) return null;
  return (
    <Explained badge={negotiation.replay.badge} tone="info" testId="badge-replay">
      {replayed && <p>{negotiation.replay.text}</p>}
      {demo && <p>{negotiation.header.recording}</p>}
    </Explained>
  );
}
