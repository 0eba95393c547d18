import { useNow } from "../../hooks/useNow";
import { useLang, useTexts } from "../../i18n";
import { clock, span } from "../../i18n/formats";
import { Badge, Icon } from "../../ui";

const SHORT_S = 30;

/** Until when an answer counts. Not a live region: seconds are not worth being read out. */
export function Countdown({ until }: { readonly until: string }) {
  const { join } = useTexts();
  const { lang } = useLang();
  const end = Date.parse(until);
  const left = Math.ceil((end - useNow(!Number.isNaN(end))) / 1000);
  if (Number.isNaN(end)) return null;
  return (
    <Badge
      tone={left < SHORT_S ? "warn" : "neutral"}
      title={join.until(clock(until, lang))}
      data-testid="deadline"
    >
      <Icon name="clock" />
      {left > 0 ? join.left(span(left, lang)) : join.over}
    </Badge>
  );
}
