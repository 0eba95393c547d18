import type { DemandSummary } from "../../api/types";
import { hrefTo } from "../../hooks/useHashRoute";
import { useLang, useTexts } from "../../i18n";
import { clock, day, modelCost, money } from "../../i18n/formats";
import { Badge } from "../../ui/Badge";
import { Button } from "../../ui/Button";
import styles from "./DemandList.module.css";
import { StatusBadge } from "./StatusBadge";

export interface DemandRowProps {
  readonly demand: DemandSummary;
  readonly onErase: (demand: DemandSummary) => void;
}

export function DemandRow({ demand, onErase }: DemandRowProps) {
  const { list: t } = useTexts();
  const { lang } = useLang();
  const id = demand.demand_id;
  const text = demand.raw_input;
  return (
    <tr data-testid={`row-${id}`} data-status={demand.status}>
      <th scope="row" className={styles.demand}>
        <a className={styles.text} dir="auto" href={hrefTo({ page: "negotiation", demandId: id })}>
          {text}
        </a>
        <span className={styles.tags}>
          {demand.capability_tags.map((tag) => (
            <Badge key={tag}>{tag}</Badge>
          ))}
        </span>
      </th>
      <td className={styles.number}>
        <StatusBadge demand={demand} />
      </td>
      <td>{demand.round > 0 ? t.roundOf(demand.round, demand.max_rounds) : "–"}</td>
      <td className={styles.number}>
        {demand.cost ? money(demand.cost.total, demand.cost.currency, lang) : "–"}
      </td>
      <td className={styles.number}>
        <ModelCost usage={demand.usage ?? null} />
      </td>
      <td className={styles.time}>
        <time dateTime={demand.created_at}>
          {day(demand.created_at, lang)} {clock(demand.created_at, lang)}
        </time>
      </td>
      <td>
        <span className={styles.actions}>
          {demand.status !== "processing" && (
            <a aria-label={t.replayOf(text)} href={hrefTo({ page: "replay", demandId: id })}>
              {t.replay}
            </a>
          )}
          <Button
            size="s"
            variant="ghost"
            aria-label={t.eraseOf(text)}
            data-testid={`erase-${id}`}
            onClick={() => onErase(demand)}
          >
            {t.erase}
          </Button>
        </span>
      </td>
    </tr>
  );
}

function ModelCost({ usage }: { readonly usage: DemandSummary["usage"] }) {
  const { list: t } = useTexts();
  const { lang } = useLang();
  if (!usage) return "–";
  if (usage.requests === 0) return <span className={styles.muted}>{t.noModel}</span>;
  const cost = usage.cost_usd;
  return (
    <span className={styles.stack}>
      {typeof cost === "number" && <span>{modelCost(cost, lang)}</span>}
      <span className={styles.muted}>{t.requests(usage.requests)}</span>
    </span>
  );
}
