import { useNegotiation } from "../../hooks/useNegotiation";
import { type Lang, type Texts, useLang, useTexts } from "../../i18n";
import { day, isolated, money } from "../../i18n/formats";
import { LongText } from "../negotiation/LongText";
import { labelled } from "../timeline/payload";
import type { Cause } from "./causes";
import type { Change } from "./compare";
import styles from "./PlanDiff.module.css";

interface Props {
  readonly index: number;
  readonly change: Change;
  readonly cause: Cause | null;
}

/** One difference, and the request behind it where there is one. */
export function DiffRow({ index, change, cause }: Props) {
  const texts = useTexts();
  const { lang } = useLang();
  const { diff } = texts.plan;
  const from = shown(change, change.from, texts, lang);
  const to = shown(change, change.to, texts, lang);
  return (
    <li
      className={styles.change}
      data-testid={`change-${index}`}
      data-field={change.field}
      data-request={cause?.request ?? undefined}
    >
      <p className={styles.what}>
        <strong>{diff.fields[change.field]}</strong>
        {change.name && <bdi>{change.name}</bdi>}
        {change.name && !change.field.startsWith("role_") && <bdi className={styles.role}>{change.role}</bdi>}
        <span className={styles.values}>
          {from && <del dir="auto">{from}</del>}
          {from && to && <span aria-hidden="true"> → </span>}
          {to && <ins dir="auto">{to}</ins>}
        </span>
      </p>
      {cause && <Why cause={cause} />}
    </li>
  );
}

function Why({ cause }: { readonly cause: Cause }) {
  const { diff } = useTexts().plan;
  const name = useNegotiation((state) =>
    cause.agentId === null ? "" : isolated(state.candidates[cause.agentId]?.displayName ?? cause.agentId),
  );
  const lead = {
    request: diff.because(name),
    withdrawal: diff.left(name),
    replaces: diff.instead(name),
    told: "",
    stood_in: diff.stoodIn,
    sub: diff.bySub(isolated(cause.reason)),
    follows: diff.follows,
  }[cause.kind];
  return (
    <div className={styles.why}>
      {lead && <span data-linked={cause.request !== null}>{lead}</span>}
      {cause.words && (
        <q>
          <LongText text={cause.words} />
        </q>
      )}
      {cause.reason && cause.kind !== "sub" && <span dir="auto">{cause.reason}</span>}
    </div>
  );
}

const SUMS: ReadonlySet<Change["field"]> = new Set(["price", "total"]);

function shown(change: Change, value: string | number | null, texts: Texts, lang: Lang): string {
  if (value === null) return "";
  if (typeof value === "number")
    return SUMS.has(change.field) ? money(value, change.currency, lang) : String(value);
  if (change.field === "date") return day(value, lang);
  const { fate } = texts.negotiation.candidates;
  return change.field === "condition" ? labelled(fate, value) : value;
}
