import { useNegotiation } from "../../hooks/useNegotiation";
import { useNow } from "../../hooks/useNow";
import { useLang, useTexts } from "../../i18n";
import { clock, span } from "../../i18n/formats";
import { useBeside } from "./beside";
import styles from "./Header.module.css";

/** The elapsed time and the deadline. On its own, since it is the only part that changes each second. */
export function Clock() {
  const startedAt = useNegotiation((state) => state.startedAt);
  const updatedAt = useNegotiation((state) => state.updatedAt);
  const deadlineAt = useNegotiation((state) => state.deadlineAt);
  const over = useNegotiation((state) => state.ending !== null);
  const running = useBeside().source === "live" && !over;
  const now = useNow(running && startedAt !== null);
  if (startedAt === null) return null;
  const until = running ? now : Date.parse(updatedAt ?? startedAt);
  const elapsed = Math.max(0, until - Date.parse(startedAt)) / 1000;
  return (
    <dl className={styles.clock}>
      <Elapsed seconds={running ? Math.floor(elapsed) : elapsed} over={over} />
      {deadlineAt && !over && <Deadline at={deadlineAt} now={running ? now : null} />}
    </dl>
  );
}

function Elapsed({ seconds, over }: { readonly seconds: number; readonly over: boolean }) {
  const { clock: texts } = useTexts().negotiation;
  const { lang } = useLang();
  return (
    <div>
      <dt>{over ? texts.took : texts.elapsed}</dt>
      <dd>{span(seconds, lang)}</dd>
    </div>
  );
}

function Deadline({ at, now }: { readonly at: string; readonly now: number | null }) {
  const { clock: texts } = useTexts().negotiation;
  const { lang } = useLang();
  const left = now === null ? null : Math.ceil((Date.parse(at) - now) / 1000);
  const shown = left === null ? clock(at, lang) : left > 0 ? span(left, lang) : texts.over;
  return (
    <div data-testid="deadline" title={`${texts.due} ${clock(at, lang)}`}>
      <dt>{left === null ? texts.due : texts.left}</dt>
      <dd>{shown}</dd>
    </div>
  );
}
