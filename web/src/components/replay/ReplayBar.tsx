import type { ReactNode } from "react";
import type { Replay } from "../../hooks/useReplay";
import { useLang, useTexts } from "../../i18n";
import { clock } from "../../i18n/formats";
import { type Recording, SPEEDS } from "../../state/replay";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import { Icon } from "../../ui/Icon";
import styles from "./Replay.module.css";

export interface ReplayBarProps {
  readonly replay: Replay;
  readonly recording: Recording;
  readonly children?: ReactNode;
}

/** Plays, stops, steps and seeks; stays in sight while the page below scrolls. */
export function ReplayBar({ replay, recording, children }: ReplayBarProps) {
  const { replay: t } = useTexts();
  const { lang } = useLang();
  const { position, total, playing } = replay;
  const atEnd = position >= total;
  const at = recording.events[position - 1]?.timestamp;
  return (
    <section className={styles.bar} aria-label={t.bar} data-testid="replay-bar" data-position={position}>
      <Badge tone="info" className={styles.badge}>
        {t.badge}
      </Badge>
      <span className={styles.buttons}>
        <Step icon="chevron-right" back label={t.back} replay={replay} by={-1} />
        <Button
          size="s"
          variant="primary"
          data-testid="replay-play"
          data-playing={playing}
          onClick={playing ? replay.pause : replay.play}
        >
          <Icon name={playing ? "pause" : "play"} /> {playing ? t.pause : atEnd ? t.restart : t.play}
        </Button>
        <Step icon="chevron-right" label={t.forward} replay={replay} by={1} />
      </span>
      <input
        type="range"
        className={styles.seek}
        data-testid="replay-seek"
        aria-label={t.seek}
        aria-valuetext={t.positionWords(position, total)}
        min={0}
        max={total}
        step={1}
        value={position}
        onChange={(event) => replay.seek(Number(event.target.value))}
      />
      <span className={styles.position} data-testid="replay-position">
        {t.position(position, total)}
        {at && <time dateTime={at}>{clock(at, lang)}</time>}
      </span>
      <label className={styles.speed}>
        <span className={styles.speedName}>{t.speed}</span>
        <select
          data-testid="replay-speed"
          aria-label={t.speed}
          value={replay.speed}
          onChange={(event) => replay.setSpeed(Number(event.target.value))}
        >
          {SPEEDS.map((speed) => (
            <option key={speed} value={speed}>
              {t.speedOf(speed)}
            </option>
          ))}
        </select>
      </label>
      {children}
    </section>
  );
}

interface StepProps {
  readonly icon: "chevron-right";
  readonly back?: boolean;
  readonly label: string;
  readonly replay: Replay;
  readonly by: 1 | -1;
}

function Step({ icon, back = false, label, replay, by }: StepProps) {
  const target = replay.position + by;
  const step = () => {
    replay.pause();
    replay.seek(target);
  };
  return (
    <Button
      size="s"
      className={back ? styles.back : undefined}
      aria-label={label}
      title={label}
      disabled={target < 0 || target > replay.total}
      data-testid={back ? "replay-back" : "replay-forward"}
      onClick={step}
    >
      <Icon name={icon} />
    </Button>
  );
}
