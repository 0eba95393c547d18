import { act, cleanup, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { LogEvent } from "../../api/types";
import { eventsOf } from "../../fixtures/runs";
import { showRun, until } from "../../fixtures/showRun";
import { setLang } from "../../i18n";

beforeEach(() => setLang("zh"));
afterEach(cleanup);

const words = () => screen.getByTestId("state-text").textContent;

/** The run with other words in the payload of each event of a type. */
function changed(name: string, type: string, more: LogEvent["payload"]): readonly LogEvent[] {
  return eventsOf(name).map((event) =>
    event.event_type === `towow.${type}` ? { ...event, payload: { ...event.payload, ...more } } : event,
  );
}

describe("a consensus that the node counts as full", () => {
  it("is not said to be everybody's where somebody said nothing", async () => {
    showRun("partial-by-silence", changed("partial-by-silence", "proposal.finalized", { consensus: "full" }));
    expect(screen.getByTestId("negotiation-page").dataset.state).toBe("success");
    expect(words()).toContain("3 位参与者中 2 位明确同意，1 位没有明说。");
    act(() => setLang("en"));
    expect(words()).toContain("2 of 3 participants agreed in words, 1 did not.");
    expect(words()).not.toMatch(/everybody|All /);
    await settled();
  });

  it("says so where everybody agreed in words, and who came by a sub-negotiation", async () => {
    showRun("full-agreement");
    expect(words()).toMatch(/\d 位参与者都明确同意。/);
    cleanup();
    showRun("sub-negotiation");
    expect(words()).toContain("另有 1 位在子协商中谈定。");
    expect(screen.queryByTestId("end-unconfirmed")).toBeNull();
    expect(screen.getByTestId("end-sub").textContent).not.toBe("");
    await settled();
  });
});

describe("an open place", () => {
  it("is said to be offered to whoever is asked, for as long as that is", async () => {
    const asked = until("stand-in", "substitute.invited");
    const { store } = showRun("stand-in", asked);
    const name = String(asked.at(-1)?.payload.display_name);
    expect(words()).toContain(`正在询问 ${name} 是否愿意替补`);
    act(() => store.getState().receive(until("stand-in", "substitute.answered")));
    expect(words()).not.toContain(name);
    await settled();
  });

  it("has the deadline that the node tells", async () => {
    const at = "2027-03-01T00:00:00Z";
    const all = changed("stand-in", "substitute.invited", { deadline_at: at });
    const upTo = (type: string) =>
      all.slice(0, all.findIndex((one) => one.event_type === `towow.${type}`) + 1);
    const { store } = showRun("stand-in", upTo("substitute.invited"), "file");
    expect(store.getState().negotiation.deadlineAt).toBe(at);
    expect(screen.getByTestId("deadline")).toBeDefined();
    act(() => store.getState().receive(upTo("substitute.answered")));
    expect(screen.queryByTestId("deadline")).toBeNull();
    await settled();
  });
});

/** What is asked of the node has come, so that nothing changes after the test. */
async function settled(): Promise<void> {
  await act(async () => {
    await Promise.resolve();
  });
}
