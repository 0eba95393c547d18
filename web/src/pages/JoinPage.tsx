import { Asked } from "../components/join/Asked";
import { InvitationCard } from "../components/join/InvitationCard";
import styles from "../components/join/Join.module.css";
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
export function JoinPage({ channelId, token }: JoinPageProps) {
  const { join, shell } = useTexts();
  const { lang } = useLang();
  const { invitation, problem, look } = useInvitation(channelId, token);
  const closed = shut(problem);
  return (
    <div className={styles.page} data-testid="join-page">
      <header>
        <h1>{invitation ? join.title(invitation.display_name) : join.pageTitle}</h1>
        {invitation && invitation.round > 0 && (
          <p className={styles.note}>
            {invitation.last_word
              ? join.lastWord.round
              : join.rounds(count(invitation.round, lang), count(invitation.max_rounds, lang))}
          </p>
        )}
      </header>
      {closed && (
        <div role="alert">
          <Empty
            data-testid={invitation ? "join-ended" : "join-invalid"}
            title={invitation ? join.ended : join.invalid}
          >
            {invitation ? join.endedHint : join.invalidHint}
          </Empty>
        </div>
      )}
      {problem && !closed && (
        <ProblemNotice problem={problem} action={<Button onClick={look}>{shell.retry}</Button>} />
      )}
      {!invitation && !problem && <Skeleton lines={5} />}
      {invitation?.proposal && <SharedPlan invitation={invitation} />}
      {invitation && !invitation.proposal && <InvitationCard invitation={invitation} />}
      {invitation && !closed && <Asked invitation={invitation} token={token} look={look} />}
      {invitation?.proposal && <InvitationCard invitation={invitation} />}
    </div>
  );
}
