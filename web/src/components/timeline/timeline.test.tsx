import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EventType, LogEvent } from "../../api/types";
import { type Lang, setLang, texts } from "../../i18n";
import { phasesOf } from "../../state/timelinePhases";
import { announcements } from "../../ui/announce";
import { detailsOf } from "./detail";
import { EventTimeline } from "./EventTimeline";
import { matcher, NO_FILTER, rowOf } from "./rows";

const MOST_IN_DOCUMENT = 80;

function event(number: number, type: string, payload: Record<string, unknown>): LogEvent {
  return {
    event_id: `evt-0000abcd-${number}`,
    event_type: type,
    timestamp: new Date(Date.UTC(2026, 10, 21, 8, 0, number)).toISOString(),
    payload: { demand_id: "d-0000abcd", ...payload },
  };
}

const PLAN = {
  version: 2,
  cost: { total: 3900, currency: "CNY" },
  assignments: [{ display_name: "井边联合办公" }, { display_name: "苏眠月" }],
};
const ADA = { agent_id: "user_agent_ada", display_name: "Ada" };

/** One event of each type, with words of its payload that its line must show. */
const EVENTS: Readonly<Record<EventType, readonly [Record<string, unknown>, ...string[]]>> = {
  "towow.demand.submitted": [{ raw_input: "一场聚会", requester_id: "alice" }, "一场聚会"],
  "towow.demand.understood": [
    { surface_demand: "办聚会", capability_tags: ["场地提供"], confidence: "high", uncertainties: ["日期"] },
    "办聚会",
    "场地提供",
  ],
  "towow.demand.confirmed": [{ edited: ["capability_tags"], source: "requester" }, "capability_tags"],
  "towow.filter.completed": [{ candidates_count: 7, candidates: [ADA] }, "7", "Ada"],
  "towow.channel.created": [{ participants_count: 16, max_rounds: 3, depth: 0 }, "16", "3"],
  "towow.demand.broadcast": [{ recipients_count: 15, deadline_at: "2026-11-21T08:05:00Z" }, "15"],
  "towow.offer.submitted": [
    { ...ADA, decision: "participate", contribution: "四十人客厅" },
    "Ada",
    "四十人客厅",
  ],
  "towow.aggregation.started": [{ offers_count: 12, silent: ["a", "b"], unknown: { c: "E003" } }, "12", "2"],
  "towow.proposal.distributed": [{ round: 1, proposal: PLAN }, "2", "3,900", "苏眠月"],
  "towow.proposal.feedback": [
    { ...ADA, feedback_type: "negotiate", round: 1, adjustment_request: "改到周末" },
    "Ada",
    "改到周末",
  ],
  "towow.feedback.evaluated": [
    { accepts: 4, rejects: 1, negotiates: 2, accept_rate: 0.57, round: 1, defaults: 1 },
    "4",
    "57%",
  ],
  "towow.negotiation.round_started": [{ round: 2, max_rounds: 3 }, "2", "3"],
  "towow.negotiation.bargain": [{ ...ADA, bargain_type: "price", content: "650" }, "Ada", "price", "650"],
  "towow.proposal.finalized": [{ final_proposal: PLAN, consensus: "full", rounds_taken: 2 }, "苏眠月", "2"],
  "towow.negotiation.failed": [
    { reason: "no_agreement", message: "未能达成", code: "E006" },
    "未能达成",
    "E006",
  ],
  "towow.agent.withdrawn": [{ ...ADA, reason: "没空", round: 2 }, "Ada", "没空"],
  "towow.gap.identified": [{ gaps: [{ gap_type: "摄影" }] }, "1", "摄影"],
  "towow.subnet.triggered": [{ gap_type: "摄影", sub_demand_id: "d-0000beef" }, "摄影", "d-0000beef"],
  "towow.subnet.completed": [{ outcome: "timeout", sub_demand_id: "d-0000beef" }, "d-0000beef"],
  "towow.substitute.invited": [{ ...ADA, reason: "补位", round: 2 }, "Ada", "补位"],
  "towow.substitute.answered": [
    { ...ADA, feedback_type: "accept", reasoning: "可以", round: 3 },
    "Ada",
    "可以",
  ],
};
const TYPES = Object.keys(EVENTS) as EventType[];
const ALL = TYPES.map((type, index) => event(index, type, EVENTS[type][0]));

const show = (events: readonly LogEvent[], dropped = 0) =>
  render(<EventTimeline events={events} dropped={dropped} />);
const rows = () => screen.queryAllByRole("article");
const shown = (n: number) => screen.queryByText(texts("zh").timeline.shown(n, ALL.length)) !== null;
const rowTypes = () => new Set(rows().map((row) => row.dataset.type));

beforeEach(() => setLang("zh"));
afterEach(cleanup);

describe.each<Lang>(["zh", "en"])("in %s", (lang) => {
  beforeEach(() => setLang(lang));

  it.each(TYPES)("%s has a title of its own, a detail, a time and an icon", (type) => {
    const [payload, ...expected] = EVENTS[type];
    show([event(1, type, payload)]);
    const row = screen.getByTestId("event-evt-0000abcd-1");
    expect(row.dataset.type).toBe(type);
    expect(row.textContent).toContain(texts(lang).timeline.types[type]);
    for (const words of expected) expect(row.textContent).toContain(words);
    expect(row.querySelector("time")?.dateTime).toBe("2026-11-21T08:00:01.000Z");
    expect(row.querySelector("svg")).not.toBeNull();
  });

  it("has no title twice", () => {
    expect(new Set(Object.values(texts(lang).timeline.types)).size).toBe(TYPES.length);
  });

  it("shows an event of an unknown type with its raw name and its words", () => {
    show([event(1, "towow.weather.changed", { sky: "grey", degrees: 4 })]);
    const row = screen.getByTestId("event-evt-0000abcd-1");
    expect(row.textContent).toContain("towow.weather.changed");
    expect(row.textContent).toContain("grey");
  });
});

it("survives payloads of any form", () => {
  const odd: unknown[] = [null, 7, "x", [], { __proto__: null }, { deep: [[[{ x: null }]]] }];
  for (const type of [...TYPES, "constructor", "__proto__", "toString"]) {
    for (const value of odd) {
      const broken = Object.fromEntries(
        Object.keys(EVENTS[type as EventType]?.[0] ?? { gaps: 1 }).map((key) => [key, value]),
      );
      const strange = { ...event(1, type, {}), payload: broken };
      expect(() => rowOf(strange, texts("en"), "en")).not.toThrow();
      expect(Array.isArray(detailsOf(strange, texts("zh").timeline, "zh"))).toBe(true);
    }
  }
});

it("does not get lost in a payload that nests without end", () => {
  let deep: unknown = "bottom";
  for (let level = 0; level < 20_000; level += 1) deep = [deep];
  expect(rowOf(event(1, "x", { deep }), texts("en"), "en").searched).not.toContain("bottom");
});

it("shows hostile texts as text", () => {
  const text = '<img src=x onerror="globalThis.hit = true"><script>globalThis.hit = true</script>';
  show([
    event(1, "towow.offer.submitted", { ...ADA, display_name: text, contribution: text }),
    event(2, text, {}),
  ]);
  expect(document.querySelector("img, script")).toBeNull();
  expect(screen.getByTestId("event-evt-0000abcd-1").textContent).toContain("<img src=x");
  expect(screen.getByTestId("event-evt-0000abcd-2").textContent).toContain("<script>");
});

it("gives the raw event on demand, and takes it away again", () => {
  show([ALL[0] as LogEvent]);
  const head = within(screen.getByTestId("event-evt-0000abcd-0")).getByRole("button");
  fireEvent.click(head);
  expect(screen.getByTestId("event-raw").textContent).toContain('"event_type": "towow.demand.submitted"');
  fireEvent.click(head);
  expect(screen.queryByTestId("event-raw")).toBeNull();
});

describe("the filter", () => {
  it("lets groups through, one or more", () => {
    show(ALL);
    fireEvent.click(screen.getByTestId("timeline-filter-end"));
    expect(rowTypes()).toEqual(new Set(["towow.proposal.finalized", "towow.negotiation.failed"]));
    fireEvent.click(screen.getByTestId("timeline-filter-offers"));
    expect(rowTypes()).toContain("towow.offer.submitted");
    fireEvent.click(screen.getByTestId("timeline-filter-end"));
    fireEvent.click(screen.getByTestId("timeline-filter-offers"));
    expect(shown(ALL.length)).toBe(true);
  });

  it("shows what one participant did", () => {
    show([...ALL, event(99, "towow.offer.submitted", { agent_id: "user_agent_bob", display_name: "Bob" })]);
    fireEvent.change(screen.getByTestId("timeline-agent"), { target: { value: "user_agent_bob" } });
    expect(rows().map((row) => row.dataset.testid)).toEqual(["event-evt-0000abcd-99"]);
  });

  it("shows what failed or was degraded", () => {
    const weak = event(99, "towow.demand.understood", { surface_demand: "x", degraded: true });
    show([...ALL, weak]);
    fireEvent.click(screen.getByTestId("timeline-failed"));
    expect(rows().map((row) => row.dataset.testid)).toContain("event-evt-0000abcd-99");
    expect(rowTypes()).toContain("towow.negotiation.failed");
    expect(rowTypes()).not.toContain("towow.demand.submitted");
  });

  it("finds words anywhere in an event, whatever their case, and says how many there are", async () => {
    show(ALL);
    fireEvent.change(screen.getByTestId("timeline-search"), { target: { value: "ADA 周末" } });
    expect(rowTypes()).toEqual(new Set(["towow.proposal.feedback"]));
    await expect.poll(() => announcements.getState().text).toBe(texts("zh").timeline.shown(1, ALL.length));
  });

  it("names the way out when nothing is found", () => {
    show(ALL);
    fireEvent.change(screen.getByTestId("timeline-search"), { target: { value: "nowhere" } });
    fireEvent.click(screen.getByRole("button", { name: texts("zh").timeline.clearFilter }));
    expect(shown(ALL.length)).toBe(true);
  });
});

it("groups the events by phase", () => {
  const types: [string, Record<string, unknown>][] = [
    ["towow.demand.submitted", {}],
    ["towow.filter.completed", {}],
    ["towow.offer.submitted", {}],
    ["towow.proposal.distributed", { round: 1 }],
    ["towow.offer.submitted", {}],
    ["unknown", {}],
    ["towow.feedback.evaluated", { round: 2 }],
    ["towow.gap.identified", {}],
    ["towow.proposal.finalized", {}],
  ];
  const events = types.map(([type, payload], index) => event(index, type, payload));
  const phases = [
    "understanding",
    "search",
    "offers",
    "round-1",
    "round-1",
    "round-1",
    "round-2",
    "gaps",
    "end",
  ];
  expect(phasesOf(events)).toEqual(phases);
  show(events);
  for (const phase of new Set(phases)) expect(screen.getByTestId(`phase-${phase}`)).toBeTruthy();
});

describe("a thousand events", () => {
  const many = Array.from({ length: 1000 }, (_, number) =>
    event(number, "towow.offer.submitted", { ...ADA, decision: "participate", contribution: `可 ${number}` }),
  );

  it("are in the document only as far as they can be seen", () => {
    vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(58);
    show(many, 250);
    expect(rows().length).toBeGreaterThan(0);
    expect(rows().length).toBeLessThan(MOST_IN_DOCUMENT);
    expect(screen.getByTestId("event-timeline").textContent).toContain(
      texts("zh").timeline.dropped.node(250),
    );
  });

  it("keep their rows while more come, and are searched", () => {
    const first = rowOf(many[3] as LogEvent, texts("zh"), "zh");
    expect(rowOf(many[3] as LogEvent, texts("zh"), "zh")).toBe(first);
    const all = many.map((one) => rowOf(one, texts("zh"), "zh"));
    expect(all.filter(matcher({ ...NO_FILTER, text: "可 99" })).length).toBe(19);
  });
});

it("keeps the phase of what has left", () => {
  const said = event(5, "towow.proposal.feedback", ADA);
  const late = event(6, "towow.offer.submitted", ADA);
  expect(phasesOf([said, late], "round-2")).toEqual(["round-2", "round-2"]);
  render(<EventTimeline events={[said, late]} dropped={7} droppedPhase="round-2" source="file" />);
  expect(screen.getByTestId("phase-round-2")).toBeTruthy();
  expect(screen.getByTestId("event-timeline").textContent).toContain(texts("zh").timeline.dropped.file(7));
});

it("does not call news what is shown anew", () => {
  const list = () => screen.getByRole("region", { name: texts("zh").timeline.list });
  const height = vi.spyOn(Element.prototype, "scrollHeight", "get").mockReturnValue(5000);
  const { rerender } = show(ALL);
  fireEvent.scroll(list());
  const more = [...ALL, event(77, "towow.offer.submitted", ADA)];
  rerender(<EventTimeline events={more} dropped={0} />);
  expect(screen.getByTestId("timeline-news").textContent).toBe(texts("zh").timeline.newEvents(1));
  height.mockRestore();
  fireEvent.change(screen.getByTestId("timeline-search"), { target: { value: "nowhere" } });
  fireEvent.click(screen.getByRole("button", { name: texts("zh").timeline.clearFilter }));
  expect(screen.queryByTestId("timeline-news")).toBeNull();
});

it("strings names together as the language does", () => {
  const found = event(1, "towow.filter.completed", { candidates: [ADA, { display_name: "Bob" }] });
  expect(detailsOf(found, texts("zh").timeline, "zh")).toContain("Ada、Bob");
  expect(detailsOf(found, texts("en").timeline, "en")).toContain("Ada, Bob");
});

it("goes from row to row by arrow keys", () => {
  show(ALL.slice(0, 3));
  const heads = rows().map((row) => within(row).getByRole("button"));
  heads[2]?.focus();
  fireEvent.keyDown(heads[2] as HTMLElement, { key: "ArrowUp" });
  expect(document.activeElement).toBe(heads[1]);
  expect(heads.map((head) => head.tabIndex)).toEqual([-1, 0, -1]);
});

it("says that there is nothing yet", () => {
  show([]);
  expect(screen.getByText(texts("zh").timeline.empty)).toBeTruthy();
});
