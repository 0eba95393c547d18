import { useState } from "react";
import { Asked, type Given } from "../components/join/Asked";
import { InvitationCard } from "../components/join/InvitationCard";
import styles from "../components/join/Join.module.css";
import { isLink } from "../components/join/link";
import { SharedPlan } from "../components/join/SharedPlan";
import { shut, useInvitation } from "../components/join/useInvitation";
import { useLang, useTexts } from "../i18n";
import { count } from "../i18n/formats";
import { Button, Empty, ProblemNotice, Skeleton } from "../ui";

export interface JoinPageProps {
  readonly channelId: string;
  readonly token: string;
}

/** The page of a person who takes part; the token in its address is all that opens it. */
export function JoinPage(link: JoinPageProps) {
  const { join } = useTexts();
  if (isLink(link.channelId, link.token)) return <Invited {...link} />;
  return (
    <div className={styles.page} data-testid="join-page">
      <h1>{join.pageTitle}</h1>
      <Shut ended={false} />
    </div>
  );
}

function Invited({ channelId, token }: JoinPageProps) {
  const { join, shell } = useTexts();
  const { lang } = useLang();
  const { invitation, problem, look } = useInvitation(channelId, token);
  const [given, setGiven] = useState<Given | null>(null);
  const closed = shut(problem);
  const planned = invitation?.proposal != null;
  // Whoever has left, and whoever was told of the end, would take the plan seen before for one that holds.
  const holds = !closed && given?.next !== "gone";
  return (
    <div className={styles.page} data-testid="join-page">
      <header>
        <h1>{invitation ? join.title(invitation.display_name) : join.pageTitle}</h1>
        {invitation && !closed && invitation.round > 0 && (
          <p className={styles.note}>
            {invitation.last_word
              ? join.lastWord.round
              : join.rounds(count(invitation.round, lang), count(invitation.max_rounds, lang))}
          </p>
        )}
      </header>
      {closed && <Shut ended={invitation !== null} />}
      {problem && !closed && (
        <ProblemNotice problem={problem} action={<Button onClick={look}>{shell.retry}</Button>} />
      )}
      {!invitation && !problem && <Skeleton lines={5} />}
      {invitation && planned && holds && <SharedPlan invitation={invitation} />}
      {invitation && !planned && <InvitationCard invitation={invitation} />}
      {invitation && (!closed || given) && (
        <Asked
          invitation={invitation}
          token={token}
          ended={closed}
          given={given}
          give={setGiven}
          look={look}
        />
      )}
      {invitation && planned && <InvitationCard invitation={invitation} />}
    </div>
  );
}

/** Nothing is behind the link, or nothing any more. */
function Shut({ ended }: { readonly ended: boolean }) {
  const { join } = useTexts();
  return (
    <div role="alert">
      <Empty data-testid={ended ? "join-ended" : "join-invalid"} title={ended ? join.ended : join.invalid}>
        {ended ? join.endedHint : join.invalidHint}
      </Empty>
    </div>
  );
}
