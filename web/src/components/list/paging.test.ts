import { expect, it, vi } from "vitest";
import type { DemandPage, DemandSummary } from "../../api/types";
import { pageAfter } from "./paging";

const row = (id: string) => ({ demand_id: id }) as DemandSummary;
const rows = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, at) => row(`d-${from + at}`));

function pages(...replies: DemandPage[]) {
  return vi.fn(
    async (cursor: string | null) => replies[Number(cursor ?? 0)] ?? { demands: [], next_cursor: null },
  );
}
const { signal } = new AbortController();

it("goes on over short and empty pages until there are no more", async () => {
  const load = pages(
    { demands: rows(0, 3), next_cursor: "1" },
    { demands: [], next_cursor: "2" },
    { demands: rows(3, 5), next_cursor: null },
  );
  const page = await pageAfter(load, null, signal);
  expect(page.demands.map((one) => one.demand_id)).toEqual(["d-0", "d-1", "d-2", "d-3", "d-4"]);
  expect(page.next_cursor).toBeNull();
});

it("stops when there are enough for a screen, and tells where to go on", async () => {
  const load = pages(
    { demands: rows(0, 20), next_cursor: "1" },
    { demands: rows(20, 25), next_cursor: null },
  );
  expect((await pageAfter(load, null, signal)).next_cursor).toBe("1");
  expect((await pageAfter(load, "1", signal)).demands.length).toBe(5);
});

it("does not ask for ever", async () => {
  const load = vi.fn(async () => ({ demands: [], next_cursor: "0" }));
  expect((await pageAfter(load, null, signal)).next_cursor).toBe("0");
  expect(load.mock.calls.length).toBe(10);
});
