import type { AgentView } from "../../api/types";
import { useLang, useTexts } from "../../i18n";
import { count, listed, money } from "../../i18n/formats";
import { Table } from "../../ui/Table";
import styles from "./Agents.module.css";
import { conditionWords } from "./conditionWords";

type Offer = AgentView["capabilities"]["offers"][number];

/** What an agent does, for how much, for how many, on which conditions. */
export function OfferTable({ offers }: { readonly offers: readonly Offer[] }) {
  const { agents: t } = useTexts();
  return (
    <Table
      caption={t.offers}
      head={[t.offerTag, t.offerTitle, t.price, t.capacity, t.quantity, t.travel, t.conditions]}
    >
      {offers.map((offer, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: offers have no id, and this list does not change
        <OfferLine key={index} offer={offer} />
      ))}
    </Table>
  );
}

function OfferLine({ offer }: { readonly offer: Offer }) {
  const { agents: t } = useTexts();
  const { lang } = useLang();
  const fee = offer.travel_fee > 0 ? t.travelFee(money(offer.travel_fee, offer.currency, lang)) : "";
  const travel = [offer.remote ? t.remote : "", listed(offer.travel_cities, lang), fee].filter(Boolean);
  const people = [
    offer.capacity ? count(offer.capacity, lang) : t.anyNumber,
    offer.min_attendees > 0 ? t.condition.min_attendees(String(offer.min_attendees)) : "",
  ];
  return (
    <tr>
      <th scope="row" dir="auto">
        {offer.tag}
      </th>
      <td dir="auto">{offer.title}</td>
      <td className={styles.number}>
        {money(offer.price, offer.currency, lang)} <span className={styles.muted}>{t.units[offer.unit]}</span>
      </td>
      <td>{listed(people.filter(Boolean), lang)}</td>
      <td>{offer.quantity}</td>
      <td>{listed(travel, lang) || "–"}</td>
      <td>
        {offer.conditions.length === 0 && "–"}
        <ul className={styles.plainList}>
          {offer.conditions.map((condition) => (
            <li key={JSON.stringify(condition)}>{conditionWords(condition, t, lang)}</li>
          ))}
        </ul>
      </td>
    </tr>
  );
}
