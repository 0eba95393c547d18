import { cleanup, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { setLang } from "../../i18n";
import { session } from "../../state/session";
import { DemandForm } from "./DemandForm";
import { PeopleLinks } from "./PeopleLinks";

const fetch = vi.fn<typeof globalThis.fetch>();

beforeEach(() => {
  setLang("zh");
  window.location.hash = "#/";
  fetch.mockReset();
  vi.stubGlobal("fetch", fetch);
});

const REPLY = {
  demand_id: "d-1",
  channel_id: "collab-1",
  stream_token: "s",
  participant_tokens: { person_1: "token-1" },
};

function answers(status: number, body: unknown) {
  fetch.mockImplementation(async () => new Response(JSON.stringify(body), { status }));
}

function sent(): unknown {
  return JSON.parse(String(fetch.mock.calls[0]?.[1]?.body));
}

const input = () => screen.getByTestId<HTMLTextAreaElement>("demand-input");

it("sends nothing that is empty, and says why where it is heard", async () => {
  render(<DemandForm />);
  fireEvent.click(screen.getByTestId("submit"));
  expect(screen.getByText("还没有写需求，写一两句话就可以提交。").closest('[role="alert"]')).not.toBeNull();
  expect(input().getAttribute("aria-invalid")).toBe("true");
  await waitFor(() => expect(document.activeElement).toBe(input()));
  expect(fetch).not.toHaveBeenCalled();
});

it("takes an example, counts it, submits with Ctrl+Enter, and goes to the negotiation", async () => {
  answers(200, REPLY);
  render(<DemandForm />);
  fireEvent.click(screen.getByText("我想在北京办一场AI主题聚会，需要场地和嘉宾"));
  expect(document.activeElement).toBe(input());
  expect(screen.getByText("22 / 10,000 字符")).toBeTruthy();
  fireEvent.keyDown(input(), { key: "Enter", ctrlKey: true });
  await waitFor(() => expect(window.location.hash).toBe("#/n/d-1"));
  expect(sent()).toEqual({ raw_input: "我想在北京办一场AI主题聚会，需要场地和嘉宾" });
});

it("sends the people and the wish to check, and keeps their links in memory", async () => {
  answers(200, REPLY);
  render(<DemandForm />);
  fireEvent.change(input(), { target: { value: "一场聚会" } });
  fireEvent.click(screen.getByTestId("confirm-first"));
  fireEvent.click(screen.getByTestId("people-add"));
  fireEvent.change(screen.getByLabelText("姓名"), { target: { value: "小林" } });
  const tags = screen.getByLabelText("能提供什么");
  fireEvent.change(tags, { target: { value: "演讲嘉宾，主持" } });
  fireEvent.keyDown(tags, { key: "Enter" });
  fireEvent.click(screen.getByTestId("submit"));
  await waitFor(() => expect(window.location.hash).toBe("#/n/d-1"));
  expect(sent()).toEqual({
    raw_input: "一场聚会",
    confirm: true,
    participants: [{ display_name: "小林", capability_tags: ["演讲嘉宾", "主持"] }],
  });
  cleanup();
  render(<PeopleLinks demandId="d-1" />);
  const link = screen.getByLabelText<HTMLInputElement>("小林的链接").value;
  expect(link).toBe(new URL("#/join/collab-1/token-1", window.location.href).href);
  expect(JSON.stringify({ ...localStorage })).not.toContain("token-1");
});

it("shows what went wrong, why, and what to do", async () => {
  const error = { code: "E001", message: "需求格式错误", why: "raw_input 是空的", hint: "写一两句话" };
  answers(400, { error });
  render(<DemandForm />);
  fireEvent.change(input(), { target: { value: "x" } });
  fireEvent.click(screen.getByTestId("submit"));
  const notice = await screen.findByText("需求格式错误");
  const alert = notice.closest('[role="alert"]');
  expect(alert?.textContent).toContain("raw_input 是空的");
  expect(alert?.textContent).toContain("写一两句话");
  expect(alert?.textContent).toContain("E001");
  expect(session.getState().participantLinks["d-2"]).toBeUndefined();
});
