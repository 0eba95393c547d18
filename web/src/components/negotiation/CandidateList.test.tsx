import { act, cleanup, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { LogEvent, Proposal } from "../../api/types";
import { run } from "../../fixtures/runs";
import { showRun, until } from "../../fixtures/showRun";
import { setLang } from "../../i18n";

beforeEach(() => setLang("zh"));
afterEach(cleanup);

let number = 0;

function event(type: string, payload: Record<string, unknown>): LogEvent {
  number += 1;
  return {
    event_id: `evt-scripted-${String(number).padStart(6, "0")}`,
    event_type: `towow.${type}`,
    timestamp: "2026-11-21T10:00:00.000Z",
    payload: { channel_id: "collab-00000001", demand_id: "d-00000001", ...payload },
  };
}

const candidate = (name: string) => ({
  agent_id: `a_${name}`,
  display_name: name,
  reason: `${name} can do it`,
});
const offer = (name: string, decision: string, more: Record<string, unknown>) =>
  event("offer.submitted", {
    agent_id: `a_${name}`,
    display_name: name,
    decision,
    contribution: "",
    ...more,
  });

// Row NEG-UI-03: each status once, with its texts.
it("shows each status with its texts", async () => {
  const names = ["wait", "yes", "if", "no", "gone"];
  const { store } = showRun("full-agreement", [
    event("filter.completed", { candidates_count: 5, candidates: names.map(candidate) }),
    event("demand.broadcast", { recipients_count: 5 }),
    offer("yes", "participate", { contribution: "a hall", reasoning: "it is free" }),
    offer("if", "conditional", { contribution: "a talk", conditions: ["a projector"] }),
    offer("no", "decline", { decline_reason: "not that day" }),
    offer("gone", "participate", { contribution: "a dinner" }),
    event("agent.withdrawn", { agent_id: "a_gone", display_name: "gone", reason: "fell ill" }),
  ]);
  const shown = (name: string) => screen.getByTestId(`candidate-a_${name}`);
  const status = (name: string) => shown(name).dataset.status;
  expect(names.map(status)).toEqual(["invited", "participate", "conditional", "decline", "withdrawn"]);
  for (const name of names) expect(shown(name).textContent).toContain(`${name} can do it`);
  expect(shown("yes").textContent).toMatch(/a hall.*it is free/);
  expect(shown("if").textContent).toMatch(/a talk.*a projector/);
  expect(shown("no").textContent).toContain("not that day");
  expect(shown("gone").textContent).toContain("fell ill");

  const plan: Proposal | undefined = run("full-agreement").recording.events.find(
    (one) => one.event_type === "towow.proposal.distributed",
  )?.payload.proposal as Proposal | undefined;
  const [first] = plan?.assignments ?? [];
  const proposal = { ...plan, assignments: [{ ...first, agent_id: "a_yes", display_name: "yes" }] };
  act(() =>
    store
      .getState()
      .receive([
        event("aggregation.started", { offers_count: 4, silent: ["a_wait"] }),
        event("proposal.distributed", { proposal, round: 1 }),
      ]),
  );
  expect(names.map(status)).toEqual(["silent", "in_plan", "not_chosen", "decline", "withdrawn"]);
  await act(async () => undefined);
});

it("tells why somebody who offered is not in the plan, in the node's words", async () => {
  showRun("sub-negotiation");
  const { seats } = run("sub-negotiation");
  const unchosen = seats.find((seat) => seat.standing === "not_chosen");
  if (!unchosen) throw new Error("everybody was chosen");
  const shown = await screen.findByTestId(`candidate-${unchosen.agent_id}`);
  expect((await screen.findAllByTestId("why-not")).length).toBeGreaterThan(0);
  expect(shown.textContent).toContain(unchosen.why_not);
});

it("renders nobody again whom an event is not about", async () => {
  const { store } = showRun("full-agreement", until("full-agreement", "demand.broadcast"));
  await act(async () => undefined);
  const before = screen.getAllByTestId(/^candidate-user/).map((one) => one.outerHTML);
  const [id] = store.getState().negotiation.candidateOrder;
  act(() => store.getState().receive(offer("x", "participate", { agent_id: id, contribution: "only this" })));
  const after = screen.getAllByTestId(/^candidate-user/).map((one) => one.outerHTML);
  expect(after.filter((html, index) => html !== before[index])).toHaveLength(1);
});
