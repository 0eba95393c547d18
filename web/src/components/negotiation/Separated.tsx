import { Fragment, type ReactNode } from "react";
import { useLang } from "../../i18n";
import { listed } from "../../i18n/formats";
import { keyedTexts } from "../plan/keyed";

interface Props {
  readonly items: readonly string[];
  readonly around: (item: string) => ReactNode;
}

/** Items that look apart by themselves, with the commas that they need where they are heard or copied. */
export function Separated({ items, around }: Props) {
  const comma = listed(["", ""], useLang().lang);
  return keyedTexts(items).map(([key, item], index) => (
    <Fragment key={key}>
      {index > 0 && <span className="visually-hidden">{comma}</span>}
      {around(item)}
    </Fragment>
  ));
}
