import { memo } from "react";
import { useTexts } from "../../i18n";
import { Badge } from "../../ui/Badge";
import { Icon } from "../../ui/Icon";
import styles from "./CandidateCard.module.css";
import { CandidateWords } from "./CandidateWords";
import type { CandidateRow } from "./standing";
import { STANDING_TONE } from "./standingTone";

/** One candidate. Its parts stay the same objects until an event is about it, so others render nothing. */
export const CandidateCard = memo(function CandidateCard({
  agentId,
  standing,
  state,
  seat,
  roles,
}: CandidateRow) {
  const { candidates: texts } = useTexts().negotiation;
  const person = state?.person ?? seat?.kind === "person";
  const offered = state?.status === "participate" || state?.status === "conditional";
  return (
    <li
      className={styles.card}
      data-testid={`candidate-${agentId}`}
      data-status={standing}
      data-answer={state?.status}
      tabIndex={-1}
    >
      <div className={styles.head}>
        <span className={styles.name}>
          <span className={styles.kind} title={person ? texts.person : texts.agent}>
            <Icon name={person ? "person" : "bolt"} />
            <span className="visually-hidden">{person ? texts.person : texts.agent}</span>
          </span>
          <bdi>{state?.displayName ?? seat?.display_name ?? agentId}</bdi>
        </span>
        <span className={styles.badges}>
          {state?.substituteIn != null && <Badge tone="info">{texts.substitute(state.substituteIn)}</Badge>}
          {(state?.degraded || state?.source === "fallback") && <Badge tone="warn">{texts.byFallback}</Badge>}
          {offered && standing !== state.status && <Badge tone="neutral">{texts.status[state.status]}</Badge>}
          <Badge tone={STANDING_TONE[standing]}>{texts.status[standing]}</Badge>
        </span>
      </div>
      {roles && <p className={styles.roles}>{texts.roles(roles)}</p>}
      <Why
        reason={state?.reason || seat?.reason || ""}
        score={state?.matchScore ?? seat?.match_score ?? null}
      />
      {state && <CandidateWords state={state} />}
      <WhyNot
        standing={standing}
        told={seat?.why_not ?? ""}
        said={state?.declineReason || state?.withdrawReason || ""}
      />
    </li>
  );
});

function Why({ reason, score }: { readonly reason: string; readonly score: number | null }) {
  const { candidates: texts } = useTexts().negotiation;
  if (!reason && !score) return null;
  return (
    <p className={styles.why} data-testid="why-chosen">
      <span className={styles.label}>{texts.why}</span> <span dir="auto">{reason}</span>
      {score ? <span className={styles.score}>{texts.match(score)}</span> : null}
    </p>
  );
}

interface WhyNotProps {
  readonly standing: CandidateRow["standing"];
  readonly told: string;
  /** The own reason, which stands above. */
  readonly said: string;
}

function WhyNot({ standing, told, said }: WhyNotProps) {
  const { candidates: texts } = useTexts().negotiation;
  if (standing === "in_plan") return null;
  const words = told || (standing === "not_chosen" ? texts.notTold : "");
  if (!words || words === said) return null;
  return (
    <p className={styles.whyNot} data-testid="why-not">
      <span className={styles.label}>{texts.whyNot}</span> <span dir="auto">{words}</span>
    </p>
  );
}
