import type { Assignment } from "../../api/types";
import { useLang, useTexts } from "../../i18n";
import { money } from "../../i18n/formats";
import { Badge, type Tone } from "../../ui/Badge";
import { Table } from "../../ui/Table";
import { FATE_TONE } from "../negotiation/standingTone";
import type { Consent, Consents } from "./consent";
import { keyed } from "./keyed";
import styles from "./ProposalCard.module.css";

const TONE: Readonly<Record<Consent, Tone>> = {
  explicit: "good",
  default: "neutral",
  asked: "warn",
  withdrawn: "bad",
  stood_in: "good",
  sub: "good",
  none: "neutral",
  missing: "warn",
};

interface Props {
  readonly assignments: readonly Assignment[];
  readonly consents: Consents;
}

export function RoleTable({ assignments, consents }: Props) {
  const { roles: texts } = useTexts().plan;
  const head = [texts.role, texts.who, texts.price, texts.conditions, texts.consent];
  return (
    <section className={styles.part} data-testid="plan-roles">
      <h3>{texts.title}</h3>
      {assignments.length === 0 ? (
        <p className={styles.note}>{texts.none}</p>
      ) : (
        <Table caption={texts.caption} head={head}>
          {keyed(assignments, (one) => `${one.agent_id} ${one.concept} ${one.role}`).map(([key, one]) => (
            <Role key={key} assignment={one} consent={consents[one.agent_id] ?? "none"} />
          ))}
        </Table>
      )}
    </section>
  );
}

function Role({ assignment, consent }: { readonly assignment: Assignment; readonly consent: Consent }) {
  const { plan: texts } = useTexts();
  const { lang } = useLang();
  const { role, display_name: name, responsibility, price, currency, quantity, notes } = assignment;
  return (
    <tr data-testid={`role-${assignment.agent_id}`} data-consent={consent}>
      <th scope="row" className={styles.role}>
        <span dir="auto">{role}</span>
        {quantity > 1 && ` ${texts.roles.quantity(quantity)}`}
        <span className={styles.duty} dir="auto">
          {responsibility}
          {notes && ` ${notes}`}
        </span>
      </th>
      <td className={styles.who}>
        <bdi>{name}</bdi>
      </td>
      <td className={styles.figure}>{money(price, currency, lang)}</td>
      <td>
        <Conditions conditions={assignment.conditions} />
      </td>
      <td>
        <Badge tone={TONE[consent]} className={styles.figure}>
          {texts.consent[consent]}
        </Badge>
      </td>
    </tr>
  );
}

function Conditions({ conditions }: { readonly conditions: Assignment["conditions"] }) {
  const { negotiation, plan } = useTexts();
  if (conditions.length === 0) return <span className={styles.note}>{plan.roles.noConditions}</span>;
  return (
    <ul className={styles.plain}>
      {keyed(conditions, (one) => one.text).map(([key, { text, status, reason }]) => (
        <li key={key} title={reason || undefined}>
          <span dir="auto">{text}</span>{" "}
          <Badge tone={FATE_TONE[status]}>{negotiation.candidates.fate[status]}</Badge>
          {status !== "met" && reason && (
            <span className={styles.duty} dir="auto">
              {reason}
            </span>
          )}
        </li>
      ))}
    </ul>
  );
}
