import type { DemandSummary } from "../../api/types";
import { useTexts } from "../../i18n";
import { Badge, type Tone } from "../../ui/Badge";

/** Where a demand stands, in a word. */
export function StatusBadge({ demand }: { readonly demand: DemandSummary }) {
  const { list: t } = useTexts();
  const [tone, label] = standing(demand, t);
  return (
    <Badge tone={tone} title={demand.message ?? undefined}>
      {label}
    </Badge>
  );
}

type ListTexts = ReturnType<typeof useTexts>["list"];

function standing(demand: DemandSummary, t: ListTexts): readonly [Tone, string] {
  if (demand.status === "processing") {
    return demand.awaiting_confirmation ? ["warn", t.waiting] : ["info", t.statuses.processing];
  }
  if (demand.status === "completed") {
    return demand.consensus === "partial" ? ["warn", t.partial] : ["good", t.statuses.completed];
  }
  return demand.reason === "cancelled" ? ["neutral", t.cancelled] : ["bad", t.statuses.failed];
}
