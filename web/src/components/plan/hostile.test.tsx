import { cleanup, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import type { LogEvent } from "../../api/types";
import { showRun } from "../../fixtures/showRun";
import { setLang, texts } from "../../i18n";

afterEach(cleanup);

const told = (rows: readonly (readonly [type: string, payload: object])[]): readonly LogEvent[] =>
  rows.map(([type, payload], seq) => ({
    event_id: `evt-0000abcd-${seq}`,
    event_type: `towow.${type}`,
    timestamp: "2026-11-21T08:00:00Z",
    payload: { ...payload },
  }));
const many = <T,>(length: number, make: (index: number) => T) => Array.from({ length }, (_, at) => make(at));

/** What a file may hold that somebody wrote by hand. */
const plan = (id: string, price: number) => ({
  version: 1,
  assignments: [
    { agent_id: id, display_name: "Ada\u202e", role: "hall", price, conditions: [{ text: "toString" }] },
  ],
});

it.each(["__proto__", "constructor", "toString"])("shows a run whose words are all %s", (word) => {
  setLang("en");
  const wish = JSON.parse(`{"agent_id": "${word}", "field": "${word}", "requested": {"toString": 1}}`);
  const adjustment = { round: 1, requests_declined: [wish], changes_made: [], requests_addressed: [] };
  const shown = showRun(
    "full-agreement",
    told([
      ["filter.completed", { candidates: [{ agent_id: word, display_name: "Ada\u202e" }] }],
      ["channel.created", { max_rounds: 20_000_000 }],
      ["offer.submitted", { agent_id: word, decision: word, terms: [{ tag: word, price: 1e308 }] }],
      ["proposal.distributed", { round: 1, max_rounds: 20_000_000, source: word, proposal: plan(word, 1) }],
      [
        "proposal.feedback",
        { round: 1, agent_id: word, feedback_type: word, proposed_changes: { price: 2 } },
      ],
      ["proposal.distributed", { round: 2, source: word, adjustment, proposal: plan(word, 3) }],
      ["negotiation.failed", { reason: word, code: word, last_proposal: plan(word, 3) }],
    ]),
    "file",
  );
  expect(screen.getByTestId(`candidate-${word}`)).toBeTruthy();
  expect(screen.getByTestId(`role-${word}`)).toBeTruthy();
  expect(shown.container.textContent).not.toMatch(/\u202e|native code/);
});

it("lays out no more than a page can hold, and says so", () => {
  setLang("en");
  const rows = many(300, (at) => ({ ...plan(`a${at}`, 1).assignments[0] }));
  const shown = showRun(
    "full-agreement",
    told([
      ["channel.created", { max_rounds: 20_000_000 }],
      ["proposal.distributed", { round: 1e15, max_rounds: 1e15, proposal: { assignments: rows } }],
    ]),
    "file",
  );
  expect(screen.getByTestId("left-out").textContent).toBe(texts("en").plan.leftOut(100));
  expect(shown.container.querySelectorAll("*").length).toBeLessThan(15_000);
});
