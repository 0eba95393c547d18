import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import type { Invitation } from "../api/types";
import { understood } from "../components/form/understood.fixture";
import { POLL_MS } from "../components/join/useInvitation";
import { setLang } from "../i18n";
import { JoinPage } from "./JoinPage";

const fetch = vi.fn<typeof globalThis.fetch>();
const OWN = "person_1";

/** What the node says to each look, and to each answer. */
let invitation: Invitation | null;
let answered: { status: number; body: unknown };

const INVITED: Invitation = {
  agent_id: OWN,
  asked: "offer",
  capability_tags: ["演讲嘉宾"],
  channel_id: "collab-00000001",
  deadline_at: new Date(Date.now() + 90_000).toISOString(),
  demand: understood(),
  demand_id: "d-1",
  display_name: "小林",
  last_word: false,
  max_rounds: 3,
  proposal: null,
  round: 0,
  status: "collecting",
  your_assignments: [],
};

const REVIEW: Invitation = {
  ...INVITED,
  asked: "review",
  round: 1,
  status: "proposal_sent",
  proposal: {
    proposal_id: "p-1",
    version: 1,
    objective: "一场聚会",
    assignments: [{ agent_id: OWN, display_name: "小林", role: "演讲嘉宾", responsibility: "讲一小时" }],
    timeline: {
      start_date: "2027-03-15",
      milestones: [{ name: "开始", date: "2027-03-15", deliverable: "" }],
    },
  },
  your_assignments: [
    {
      agent_id: OWN,
      display_name: "小林",
      role: "演讲嘉宾",
      responsibility: "讲一小时",
      price: 500,
      currency: "CNY",
      quantity: 1,
      concept: "",
      conditions: [],
      dependencies: [],
      notes: "",
    },
  ],
};

const ENDED = { error: { code: "UNAUTHENTICATED", message: "没有权限", why: "协商已经结束", hint: "" } };

beforeEach(() => {
  setLang("zh");
  invitation = INVITED;
  answered = { status: 200, body: { channel_id: "collab-00000001", agent_id: OWN, status: "accepted" } };
  fetch.mockReset();
  fetch.mockImplementation(async (_url, init) => {
    if (init?.method === "POST")
      return new Response(JSON.stringify(answered.body), { status: answered.status });
    return invitation
      ? new Response(JSON.stringify(invitation))
      : new Response(JSON.stringify(ENDED), { status: 401 });
  });
  vi.stubGlobal("fetch", fetch);
});

const open = () => render(<JoinPage channelId="collab-00000001" token="secret-token" />);
const posts = () => fetch.mock.calls.filter(([, init]) => init?.method === "POST");
const body = () => JSON.parse(String(posts().at(-1)?.[1]?.body));

it("shows what it is about without its budget, and takes an offer that then counts", async () => {
  open();
  await screen.findByTestId("join-offer");
  expect(screen.getByRole("heading", { level: 1 }).textContent).toBe("小林，你被邀请参与协商");
  expect(screen.getByTestId("invitation").textContent).not.toContain("8,000");
  fireEvent.change(screen.getByTestId("offer-contribution"), { target: { value: "讲一小时" } });
  fireEvent.change(screen.getByTestId("offer-price"), { target: { value: "500" } });
  fireEvent.click(screen.getByTestId("join-send"));
  expect((await screen.findByTestId("join-counted")).textContent).toBe("你的回答已计入：参与");
  expect(body()).toEqual({ decision: "participate", contribution: "讲一小时", price: 500, currency: "CNY" });
  const [url, init] = posts()[0] ?? [];
  expect(String(url)).not.toContain("secret-token");
  expect(new Headers(init?.headers).get("X-Participant-Token")).toBe("secret-token");
  expect(screen.queryByTestId("join-offer")).toBeNull();
});

it("shows a refused price at its field", async () => {
  answered = {
    status: 400,
    body: { error: { code: "INVALID_INPUT", message: "m", why: "currency：只能用CNY", hint: "" } },
  };
  open();
  await screen.findByTestId("join-offer");
  fireEvent.change(screen.getByTestId("offer-contribution"), { target: { value: "x" } });
  fireEvent.click(screen.getByTestId("join-send"));
  await screen.findByText("只能用CNY");
  expect(screen.getByLabelText("币种").getAttribute("aria-invalid")).toBe("true");
});

it("shows the plan with one's own price, and takes a consent", async () => {
  invitation = REVIEW;
  open();
  fireEvent.click(await screen.findByTestId("join-accept"));
  expect(screen.getByTestId("join-part").textContent).toContain("¥500");
  await screen.findByText("你的回答已计入：同意方案");
  expect(body()).toEqual({ feedback_type: "accept", round: 1 });
});

it("takes a wish for a change, but not an empty one", async () => {
  invitation = REVIEW;
  open();
  fireEvent.click(await screen.findByTestId("join-negotiate"));
  fireEvent.click(screen.getByTestId("change-send"));
  expect(screen.getByText("请至少写明一项修改")).toBeTruthy();
  expect(posts()).toHaveLength(0);
  fireEvent.change(screen.getByTestId("change-price"), { target: { value: "650" } });
  fireEvent.click(screen.getByTestId("change-send"));
  await screen.findByText("你的回答已计入：要求修改");
  expect(body()).toEqual({ feedback_type: "negotiate", round: 1, proposed_changes: { price: 650 } });
});

it("offers yes or no only where nothing else counts, and promises no further question", async () => {
  invitation = { ...REVIEW, last_word: true };
  const shown = open();
  expect((await screen.findByTestId("join-last-word")).textContent).toContain("只有同意或不同意");
  expect(screen.queryByTestId("join-negotiate")).toBeNull();
  expect(screen.getByTestId("join-page").textContent).not.toContain("最多 3 轮");
  fireEvent.click(screen.getByTestId("join-accept"));
  await screen.findByText("你的回答已计入：同意方案");
  expect(screen.getByTestId("join-asked").textContent).not.toContain("再次询问");
  shown.unmount();
  open();
  fireEvent.click(await screen.findByTestId("join-withdraw"));
  expect(screen.getByRole("dialog").textContent).not.toContain("替代者");
  fireEvent.click(screen.getByTestId("join-withdraw-sure"));
  await screen.findByText("你的回答已计入：不参与");
  expect(body()).toEqual({ feedback_type: "withdraw", round: 1 });
});

it("says by the answer what comes next", async () => {
  invitation = REVIEW;
  const shown = open();
  fireEvent.click(await screen.findByTestId("join-accept"));
  await screen.findByText(/方案有变化时，这里会再次询问你/);
  shown.unmount();
  open();
  fireEvent.click(await screen.findByTestId("join-withdraw"));
  fireEvent.click(screen.getByTestId("join-withdraw-sure"));
  await screen.findByText("你的回答已计入：退出");
  expect(screen.getByTestId("join-asked").textContent).not.toContain("再次询问");
});

it("asks twice before somebody leaves", async () => {
  invitation = REVIEW;
  open();
  fireEvent.click(await screen.findByTestId("join-withdraw"));
  expect(posts()).toHaveLength(0);
  fireEvent.click(screen.getByTestId("join-withdraw-sure"));
  await screen.findByText("你的回答已计入：退出");
  expect(body()).toEqual({ feedback_type: "withdraw", round: 1 });
});

it("tells in words that an answer came second", async () => {
  invitation = REVIEW;
  answered = {
    status: 409,
    body: { error: { code: "CONFLICT", message: "与当前状态冲突", why: "你已经回答过", hint: "" } },
  };
  open();
  fireEvent.click(await screen.findByTestId("join-accept"));
  expect((await screen.findByText("你已经回答过")).closest('[role="alert"]')).not.toBeNull();
});

it("tells a link that opens nothing from a negotiation that has ended meanwhile", async () => {
  invitation = null;
  const first = open();
  await screen.findByTestId("join-invalid");
  first.unmount();
  invitation = INVITED;
  vi.useFakeTimers();
  open();
  await act(() => vi.advanceTimersByTimeAsync(0));
  invitation = null;
  await act(() => vi.advanceTimersByTimeAsync(POLL_MS));
  expect(screen.getByTestId("join-ended")).toBeTruthy();
  const looks = fetch.mock.calls.length;
  await act(() => vi.advanceTimersByTimeAsync(10 * POLL_MS));
  expect(fetch.mock.calls.length).toBe(looks);
  vi.useRealTimers();
});

it("asks the node nothing for a link that it never made", () => {
  for (const [channelId, token] of [
    ["collab-00000001", "tok\r\nX: y"],
    ["collab-00000001", "a".repeat(100_000)],
    ["collab-1%2F..", "secret-token"],
  ] as const) {
    const shown = render(<JoinPage channelId={channelId} token={token} />);
    expect(screen.getByTestId("join-invalid").textContent).toContain("这个链接不能使用");
    shown.unmount();
  }
  expect(fetch).not.toHaveBeenCalled();
});

it("after the end shows the answer that was received, and no plan that looks as if it held", async () => {
  invitation = REVIEW;
  open();
  fireEvent.click(await screen.findByTestId("join-accept"));
  await screen.findByTestId("join-counted");
  vi.useFakeTimers();
  invitation = null;
  document.dispatchEvent(new Event("visibilitychange"));
  await act(() => vi.advanceTimersByTimeAsync(POLL_MS));
  vi.useRealTimers();
  expect(screen.getByTestId("join-ended")).toBeTruthy();
  expect(screen.queryByTestId("join-plan")).toBeNull();
  expect(screen.queryByTestId("join-part")).toBeNull();
  const shown = screen.getByTestId("join-asked").textContent;
  expect(shown).toContain("你的回答已计入：同意方案");
  expect(shown).toContain("结果请向需求方了解");
  expect(shown).not.toContain("再次询问");
});

it("keeps the confirmation of an offer when the negotiation ends at once", async () => {
  open();
  await screen.findByTestId("join-offer");
  fireEvent.change(screen.getByTestId("offer-contribution"), { target: { value: "讲一小时" } });
  invitation = null;
  fireEvent.click(screen.getByTestId("join-send"));
  await screen.findByTestId("join-ended");
  expect(screen.getByTestId("join-counted").textContent).toBe("你的回答已计入：参与");
});

it("shows whoever has left no part of a plan", async () => {
  invitation = REVIEW;
  open();
  fireEvent.click(await screen.findByTestId("join-withdraw"));
  fireEvent.click(screen.getByTestId("join-withdraw-sure"));
  await screen.findByText("你的回答已计入：退出");
  expect(screen.queryByTestId("join-plan")).toBeNull();
});

it("takes back that the node was not reached, at the next input or once it answers", async () => {
  invitation = REVIEW;
  open();
  await screen.findByTestId("join-accept");
  const reached = fetch.getMockImplementation();
  fetch.mockRejectedValue(new TypeError("Failed to fetch"));
  fireEvent.click(screen.getByTestId("join-accept"));
  await screen.findByText("连不上节点");
  if (reached) fetch.mockImplementation(reached);
  act(() => void document.dispatchEvent(new Event("visibilitychange")));
  await waitFor(() => expect(screen.queryByText("连不上节点")).toBeNull());
});

it("looks every three seconds, but not while nobody sees the page", async () => {
  vi.useFakeTimers();
  const hidden = vi.spyOn(document, "hidden", "get").mockReturnValue(false);
  open();
  await act(() => vi.advanceTimersByTimeAsync(0));
  expect(fetch).toHaveBeenCalledTimes(1);
  await act(() => vi.advanceTimersByTimeAsync(POLL_MS));
  expect(fetch).toHaveBeenCalledTimes(2);
  hidden.mockReturnValue(true);
  document.dispatchEvent(new Event("visibilitychange"));
  await act(() => vi.advanceTimersByTimeAsync(5 * POLL_MS));
  expect(fetch).toHaveBeenCalledTimes(2);
  hidden.mockReturnValue(false);
  document.dispatchEvent(new Event("visibilitychange"));
  await act(() => vi.advanceTimersByTimeAsync(0));
  expect(fetch).toHaveBeenCalledTimes(3);
  vi.useRealTimers();
  await waitFor(() => expect(screen.getByTestId("join-page")).toBeTruthy());
});
