import { useMemo } from "react";
import { useNegotiation } from "../../hooks/useNegotiation";
import { useLang, useTexts } from "../../i18n";
import { money } from "../../i18n/formats";
import { Badge } from "../../ui/Badge";
import { Card } from "../../ui/Card";
import { Empty } from "../../ui/Empty";
import { Icon } from "../../ui/Icon";
import { Table } from "../../ui/Table";
import { keyed } from "../plan/keyed";
import { currentProposal } from "../plan/versions";
import { asksOf } from "./asks";
import styles from "./CoverageMatrix.module.css";
import { type Cell, type CoverageRow, coverageOf, type Matrix } from "./coverage";

/** What is needed against who offers it, and who does it in the current plan. */
export function CoverageMatrix() {
  const { coverage: texts } = useTexts().negotiation;
  const matrix = useMatrix();
  const { agents, rows } = matrix;
  const columns = agents.map(({ id, name, inPlan }) => (
    <span key={id} className={styles.agent} data-planned={inPlan} dir="auto">
      {name}
    </span>
  ));
  return (
    <Card title={texts.title} data-testid="coverage-matrix" aside={agents.length > 0 && <Legend />}>
      {rows.length === 0 ? (
        <Empty title={texts.empty} />
      ) : (
        <Table
          className={styles.matrix ?? ""}
          caption={texts.caption}
          head={[texts.requirement, texts.covered, ...columns]}
        >
          {keyed(rows, (row) => row.requirement.concept).map(([key, row]) => (
            <Row key={key} row={row} agents={agents} />
          ))}
        </Table>
      )}
    </Card>
  );
}

function useMatrix(): Matrix {
  const requirements = useNegotiation((state) => state.requirements);
  const candidates = useNegotiation((state) => state.candidates);
  const order = useNegotiation((state) => state.candidateOrder);
  const proposal = useNegotiation((state) => currentProposal(state.plans, state.ending));
  const closed = useNegotiation((state) => state.offersClosed || state.ending !== null);
  const rounds = useNegotiation((state) => state.rounds);
  const plans = useNegotiation((state) => state.plans);
  const round = useNegotiation((state) => state.round);
  const asks = useMemo(() => asksOf(rounds, plans), [rounds, plans]);
  return useMemo(
    () => coverageOf({ requirements, candidates, order, proposal, closed, asks, round }),
    [requirements, candidates, order, proposal, closed, asks, round],
  );
}

function Row({ row, agents }: { readonly row: CoverageRow; readonly agents: Matrix["agents"] }) {
  const { coverage: texts } = useTexts().negotiation;
  const { requirement, cells } = row;
  return (
    <tr>
      <th scope="row" title={texts.importance(requirement.importance)}>
        {requirement.tag}
        {requirement.count > 1 && <span> ×{requirement.count}</span>}
        {requirement.named === false && <span className={styles.inferred}>{texts.inferred}</span>}
      </th>
      <Covered row={row} />
      {agents.map(({ id }) => (
        <td key={id}>
          <Mark cell={cells[id]} />
        </td>
      ))}
    </tr>
  );
}

function Covered({ row }: { readonly row: CoverageRow }) {
  const { coverage: texts } = useTexts().negotiation;
  const { gap, covered, needed, offers } = row;
  if (!gap) {
    const done = covered >= needed;
    return (
      <td data-gap="false">
        <Badge tone={done ? "good" : "neutral"}>
          {done ? texts.full(covered, needed) : texts.offers(offers)}
        </Badge>
      </td>
    );
  }
  return (
    <td data-gap="true" className={styles.gap}>
      <Badge tone="bad">
        <Icon name="alert" />
        {offers === 0 && covered === 0 ? texts.nobody : texts.gap(covered, needed)}
      </Badge>
    </td>
  );
}

function Mark({ cell }: { readonly cell: Cell | undefined }) {
  const { negotiation, plan } = useTexts();
  const { coverage: texts } = negotiation;
  const { lang } = useLang();
  if (!cell) return <span className="visually-hidden">{texts.no}</span>;
  const planned = cell.kind === "plan";
  return (
    <span className={styles.mark} data-kind={cell.kind}>
      <span className={styles.word}>
        {planned && <Icon name="check" />}
        {planned ? texts.inPlan : texts.offer}
        {cell.quantity > 1 && ` ×${cell.quantity}`}
      </span>
      {(planned || cell.asked === null) && (
        <span className={styles.price}>{money(cell.price, cell.currency, lang)}</span>
      )}
      {cell.asked !== null && (
        <span className={styles.price} data-asked="true">
          {plan.roles.asks(money(cell.asked, cell.currency, lang))}
        </span>
      )}
    </span>
  );
}

function Legend() {
  const { coverage: texts } = useTexts().negotiation;
  return (
    <span className={styles.legend}>
      <i data-kind="plan" />
      {texts.legendPlan}
      <i data-kind="offer" />
      {texts.legendOffer}
      <i data-kind="gap" />
      {texts.legendGap}
    </span>
  );
}
