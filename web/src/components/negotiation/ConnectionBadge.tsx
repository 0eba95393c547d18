import { useConnection } from "../../hooks/useNegotiation";
import { useNow } from "../../hooks/useNow";
import { useLang, useTexts } from "../../i18n";
import { clock } from "../../i18n/formats";
import { type Connection, SSE_CONFIG } from "../../state/connection";
import { Badge, type Tone } from "../../ui/Badge";
import { ReplayMark } from "./ReplayMark";

const TONE: Readonly<Record<Connection["kind"], Tone>> = {
  connecting: "neutral",
  live: "good",
  reconnecting: "warn",
  lost: "bad",
  ended: "neutral",
  replay: "info",
};

export function ConnectionBadge() {
  const connection = useConnection();
  const { connection: texts } = useTexts().negotiation;
  const { lang } = useLang();
  const { kind, attempt, retryAt, staleSince } = connection;
  const now = useNow(kind === "reconnecting" && retryAt !== null);
  const most = SSE_CONFIG.MAX_RECONNECT_ATTEMPTS;
  if (kind === "replay")
    return (
      <span data-testid="connection-badge" data-connection={kind}>
        <ReplayMark />
      </span>
    );
  const words = () => {
    if (kind !== "reconnecting") return texts[kind];
    if (retryAt === null) return texts.retrying(attempt, most);
    return texts.reconnecting(attempt, most, Math.max(0, Math.ceil((retryAt - now) / 1000)));
  };
  const since = staleSince === null ? "" : texts.stale(clock(new Date(staleSince).toISOString(), lang));
  return (
    <Badge tone={TONE[kind]} data-testid="connection-badge" data-connection={kind} title={since || undefined}>
      {words()}
    </Badge>
  );
}
