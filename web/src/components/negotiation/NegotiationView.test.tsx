import { act, cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { client } from "../../api/client";
import type { LogEvent } from "../../api/types";
import { eventsOf, run } from "../../fixtures/runs";
import { showRun, until } from "../../fixtures/showRun";
import { setLang, texts } from "../../i18n";
import { REPLAY } from "../../state/connection";
import { DemandForm } from "../form/DemandForm";

const zh = texts("zh");

beforeEach(() => setLang("zh"));
afterEach(cleanup);

const page = () => screen.getByTestId("negotiation-page");
const card = () => screen.getByTestId("proposal-card");

describe("each state has a text of its own", () => {
  it.each([
    ["empty", []],
    ["understanding", until("full-agreement", "demand.submitted")],
    ["waiting", until("confirmed-edited", "demand.understood")],
    ["searching", until("full-agreement", "filter.completed")],
    ["negotiating", until("three-rounds", "proposal.distributed")],
    ["success", eventsOf("full-agreement")],
    ["partial", eventsOf("partial-by-silence")],
    ["compromise", eventsOf("compromise-with-gaps")],
    ["failed", eventsOf("failed-no-agreement")],
    ["cancelled", eventsOf("cancelled")],
  ] as const)("%s", async (state, events) => {
    showRun("full-agreement", events);
    expect(page().dataset.state).toBe(state);
    expect(screen.getByTestId("state-text").textContent).toContain(zh.negotiation.phases[state].text);
    act(() => setLang("en"));
    expect(screen.getByTestId("state-text").textContent).toContain(
      texts("en").negotiation.phases[state].text,
    );
    await settled();
  });
});

describe("the plan", () => {
  it("stays after a failure, and is said not to be agreed", async () => {
    showRun("failed-no-agreement");
    expect(card().dataset.form).toBe("last");
    expect(screen.getByTestId("plan-caution").textContent).toContain(zh.plan.notAgreed);
    expect(screen.getByTestId("plan-roles").textContent).not.toBe("");
    expect(screen.queryByTestId("partial-badge")).toBeNull();
    expect(screen.getByTestId("end-card").dataset.end).toBe("failed");
    await settled();
  });

  it("in part: has the mark and names who has not confirmed", async () => {
    const { store } = showRun("partial-by-silence");
    const { ending, candidates } = store.getState().negotiation;
    expect(screen.getByTestId("partial-badge").textContent).toBe(zh.plan.partialBadge);
    const [missing] = ending?.unconfirmed ?? [];
    expect(screen.getByTestId("plan-caution").textContent).toContain(candidates[missing ?? ""]?.displayName);
    await settled();
  });

  it("as a compromise: says what works, what is missing and what could be done", async () => {
    const { store } = showRun("compromise-with-gaps");
    const compromise = store.getState().negotiation.ending?.compromise;
    for (const one of compromise?.suggestions ?? []) expect(card().textContent).toContain(one);
    for (const one of compromise?.unresolved ?? []) {
      expect(screen.getByTestId("compromise-missing").textContent).toContain(one);
    }
    await settled();
  });

  it("links a change to the request behind it, and shows declined requests with their reasons", async () => {
    const { store } = showRun("three-rounds");
    const diff = within(screen.getByTestId("plan-diff"));
    fireEvent.change(diff.getByTestId("diff-from"), { target: { value: "0" } });
    const linked = screen.getByTestId("plan-diff").querySelector<HTMLElement>("[data-request]");
    const asked = store.getState().negotiation.rounds.flatMap((round) => round.feedback);
    expect(asked.map((one) => one.eventId)).toContain(linked?.dataset.request);
    for (const { adjustment } of store.getState().negotiation.plans) {
      for (const entry of adjustment?.requests_declined ?? []) {
        expect(screen.getByTestId("declined-requests").textContent).toContain(entry.reason);
      }
    }
    await settled();
  });

  it("writes a declined price as a sum, and a declined day as a day", async () => {
    const events = eventsOf("failed-no-agreement").map((event) => {
      const text = JSON.stringify(event);
      const wish = '"field":"price","requested":5000';
      return JSON.parse(text.replace(wish, '"field":"date","requested":"2027-03-15"')) as LogEvent;
    });
    showRun("failed-no-agreement", events);
    fireEvent.change(screen.getByTestId("diff-from"), { target: { value: "0" } });
    const declined = screen.getByTestId("declined-requests").textContent;
    expect(declined).toContain("价格：¥5,000");
    expect(declined).toContain("日期：2027年3月15日");
    await settled();
  });

  it("keeps the version that was picked when a new one comes", async () => {
    const events = eventsOf("three-rounds");
    const { store } = showRun("three-rounds", until("three-rounds", "negotiation.round_started"));
    fireEvent.click(screen.getByTestId("plan-version-1"));
    act(() => store.getState().receive(events));
    expect(screen.getByTestId("plan-version-1").getAttribute("aria-selected")).toBe("true");
    expect(screen.getByTestId("plan-version-3")).toBeDefined();
    await settled();
  });
});

describe("around the plan", () => {
  it("shows gaps as text, not as a colour alone", async () => {
    showRun("compromise-with-gaps");
    const gap = screen.getByTestId("coverage-matrix").querySelector("[data-gap='true']");
    expect(gap?.textContent).toContain("缺口");
    await settled();
  });

  it("opens the words of a round", async () => {
    showRun("three-rounds");
    const bar = within(screen.getByTestId("feedback-bar-1"));
    fireEvent.click(bar.getByTestId("words-toggle"));
    const asked = eventsOf("three-rounds").find((one) => one.event_type === "towow.proposal.feedback");
    expect(screen.getByTestId("feedback-bar-1").textContent).toContain(asked?.payload.reasoning);
    await settled();
  });

  it("tells which steps were degraded, and by which error", async () => {
    showRun("degraded");
    const told = run("degraded").demand.degraded_steps;
    await waitFor(() => {
      for (const { code } of told) expect(screen.getByTestId("badge-degraded").textContent).toContain(code);
    });
  });

  it("lists every step with its brain, and says where no model was asked", async () => {
    showRun("full-agreement");
    for (const step of run("full-agreement").steps) await screen.findByTestId(`step-${step.key}`);
    expect(screen.getByTestId("steps-totals").textContent).toContain(zh.negotiation.steps.rulesOnly);
  });

  it("nests a sub-negotiation under its parent", async () => {
    const { store } = showRun("sub-negotiation", eventsOf("sub-negotiation"), "file");
    const [sub] = store.getState().negotiation.subs;
    const nested = within(page()).getByTestId(`subnet-${sub?.demandId}`);
    expect(nested.textContent).toContain(sub?.gapType);
    fireEvent.click(within(nested).getByTestId("subnet-open"));
    expect(nested.textContent).toContain(zh.negotiation.subnet.recorded);
    if (sub?.proposal) expect(nested.textContent).toContain(sub.proposal.summary);
    await settled();
  });

  it("of a recording says that it has no steps, asks the node nothing and cannot be cancelled", async () => {
    const { store } = showRun("three-rounds", until("three-rounds", "proposal.distributed"), "file");
    act(() => store.getState().connected(REPLAY));
    expect(screen.getByTestId("step-inspector").textContent).toContain(zh.negotiation.steps.recorded);
    expect(screen.getByTestId("connection-badge").dataset.connection).toBe("replay");
    expect(screen.getByTestId("badge-replay")).toBeDefined();
    expect(screen.queryByTestId("cancel")).toBeNull();
    expect(client.steps).not.toHaveBeenCalled();
    await settled();
  });

  it("asks the node anew with each plan and at the end, not with every event", async () => {
    const { store } = showRun("three-rounds", until("three-rounds", "demand.broadcast"));
    await settled();
    const rest = eventsOf("three-rounds").slice(until("three-rounds", "demand.broadcast").length);
    for (const event of rest) await act(async () => store.getState().receive(event));
    expect(vi.mocked(client.steps).mock.calls.length).toBeLessThanOrEqual(1 + 1 + 3 + 1);
  });
});

describe("what can be done afterwards", () => {
  it("offers the demand's own words to be changed and submitted again", async () => {
    showRun("failed-no-agreement");
    const words = run("failed-no-agreement").recording.raw_input;
    expect(screen.getByTestId("edit-again").getAttribute("href")).toBe("#/");
    fireEvent.click(screen.getByTestId("edit-again"));
    cleanup();
    render(<DemandForm />);
    expect(screen.getByTestId<HTMLTextAreaElement>("demand-input").value).toBe(words);
    cleanup();
    render(<DemandForm />);
    expect(screen.getByTestId<HTMLTextAreaElement>("demand-input").value).toBe("");
    await settled();
  });

  it("folds those who are not in the plan, with their number", async () => {
    showRun("full-agreement");
    const folded = screen.getAllByTestId(/^candidates-(offered|others|reserve)$/);
    for (const one of folded) expect(one).toHaveProperty("open", false);
    expect(folded.map((one) => one.querySelector("summary")?.textContent).join()).toMatch(/\d/);
    expect(screen.queryByTestId("candidates-plan")).toBeNull();
    await settled();
  });

  it("separates what is copied or heard, and shows one mark of a replay", async () => {
    const { store } = showRun("full-agreement", eventsOf("full-agreement"), "file");
    act(() => store.getState().connected(REPLAY));
    const tags = store.getState().negotiation.understanding?.capability_tags ?? [];
    expect(screen.getByTestId("header-tags").textContent).toBe(tags.join("、"));
    expect(screen.getAllByTestId("badge-replay")).toHaveLength(1);
    expect(screen.getByTestId("connection-badge").contains(screen.getByTestId("badge-replay"))).toBe(true);
    await settled();
  });
});

describe("what strangers write", () => {
  it("is shown as text", async () => {
    const nasty = `<img src=x onerror=alert(1)><script>alert(2)</script>\u202E反\u2066 ${"W".repeat(4000)}`;
    const spoiled = JSON.parse(
      JSON.stringify(eventsOf("three-rounds"), (key, value: unknown) =>
        ["contribution", "reasoning", "raw_input", "summary", "display_name", "responsibility"].includes(key)
          ? nasty
          : value,
      ),
    ) as LogEvent[];
    const { container } = showRun("three-rounds", spoiled);
    expect(container.querySelector("img, script")).toBeNull();
    expect(screen.getByTestId("demand-words").textContent).toContain("<img src=x onerror=alert(1)>");
    expect(screen.getByTestId("plan-summary").textContent).toBe(nasty.replace(/[\u202e\u2066]/g, ""));
    await settled();
  });
});

/** What is asked of the node has come, so that nothing changes after the test. */
async function settled(): Promise<void> {
  await act(async () => {
    await Promise.resolve();
  });
}
