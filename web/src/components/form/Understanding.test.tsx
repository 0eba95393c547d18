import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { setLang } from "../../i18n";
import { Understanding } from "./Understanding";
import { understood } from "./understood.fixture";

const fetch = vi.fn<typeof globalThis.fetch>();

beforeEach(() => {
  setLang("zh");
  fetch.mockReset();
  vi.stubGlobal("fetch", fetch);
});

function answers(status: number, body: unknown) {
  fetch.mockImplementation(async () => new Response(JSON.stringify(body), { status }));
}

it("shows what was understood, what is unclear, and who understood it", () => {
  render(
    <Understanding
      demandId="d-1"
      understanding={understood()}
      source="fallback"
      edited={["context.budget"]}
    />,
  );
  expect(screen.getByTestId("understanding-tags").textContent).toBe("场地提供演讲嘉宾");
  expect(screen.getByTestId("understanding-uncertainties").textContent).toBe("没有写明日期");
  const limits = screen.getByTestId("understanding-constraints").textContent;
  expect(limits).toContain("地点北京");
  expect(limits).toContain("时间未说明");
  expect(limits).toContain("人数40 人");
  expect(limits).toContain("¥8,000 已由你修改");
  expect(screen.getByText("模型不可用，由规则代为理解")).toBeTruthy();
  expect(screen.queryByTestId("confirm")).toBeNull();
});

it("sends only what the requester changed", async () => {
  answers(200, { demand_id: "d-1", status: "processing", edited: [] });
  render(<Understanding demandId="d-1" understanding={understood()} waiting />);
  fireEvent.click(screen.getByLabelText("移除 演讲嘉宾"));
  const tags = screen.getByTestId("edit-capability_tags");
  fireEvent.change(tags, { target: { value: "摄影" } });
  fireEvent.keyDown(tags, { key: "Enter" });
  fireEvent.change(screen.getByTestId("edit-date"), { target: { value: "2027-03-15" } });
  fireEvent.click(screen.getByTestId("confirm"));
  await waitFor(() => expect(screen.getByTestId<HTMLButtonElement>("confirm").disabled).toBe(true));
  expect(JSON.parse(String(fetch.mock.calls[0]?.[1]?.body))).toEqual({
    understanding: { capability_tags: ["场地提供", "摄影"], context: { date: "2027-03-15" } },
  });
});

it("shows a refused change at its field", async () => {
  const why = "understanding.context.date：读不出一个还没过去的日期";
  answers(400, { error: { code: "INVALID_INPUT", message: "输入有误", why, hint: "" } });
  render(<Understanding demandId="d-1" understanding={understood()} waiting />);
  fireEvent.change(screen.getByTestId("edit-date"), { target: { value: "昨天" } });
  fireEvent.click(screen.getByTestId("confirm"));
  await screen.findByText("读不出一个还没过去的日期");
  expect(screen.getByTestId("edit-date").getAttribute("aria-invalid")).toBe("true");
});

it("tells what concerns no field as a whole", async () => {
  answers(409, { error: { code: "CONFLICT", message: "与当前状态冲突", why: "需求已经确认过", hint: "" } });
  render(<Understanding demandId="d-1" understanding={understood()} waiting />);
  fireEvent.click(screen.getByTestId("confirm"));
  expect((await screen.findByText("与当前状态冲突")).closest('[role="alert"]')?.textContent).toContain(
    "已经确认过",
  );
});
