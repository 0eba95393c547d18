import type { Problem } from "../../api/problem";
import { useConnection } from "../../hooks/useNegotiation";
import { useLang, useTexts } from "../../i18n";
import { clock } from "../../i18n/formats";
import { SSE_CONFIG } from "../../state/connection";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import { ProblemNotice } from "../../ui/ProblemNotice";
import styles from "./ReconnectBanner.module.css";

interface Props {
  readonly onReconnect: () => void;
  /** Why there is nothing to follow, where the node says so. */
  readonly problem: Problem | null;
}

/** Stands there once all attempts have failed, or where the node says that there is nothing to be had. */
export function ReconnectBanner({ onReconnect, problem }: Props) {
  const { kind, staleSince } = useConnection();
  const { connection: texts } = useTexts().negotiation;
  const { lang } = useLang();
  if (kind !== "lost") return null;
  const again = (
    <Button variant="primary" data-testid="reconnect" onClick={onReconnect}>
      <Icon name="refresh" />
      {texts.again}
    </Button>
  );
  if (problem) return <ProblemNotice problem={problem} action={again} data-testid="negotiation-problem" />;
  return (
    <div className={styles.banner} role="alert" data-testid="reconnect-banner">
      <Icon name="offline" />
      <div className={styles.words}>
        <strong>{texts.lostTitle}</strong>
        <p>
          {texts.lostText(SSE_CONFIG.MAX_RECONNECT_ATTEMPTS)}{" "}
          {staleSince !== null && texts.stale(clock(new Date(staleSince).toISOString(), lang))}
        </p>
      </div>
      {again}
    </div>
  );
}
