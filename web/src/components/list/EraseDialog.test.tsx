import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { client } from "../../api/client";
import { asProblem } from "../../api/problem";
import type { DemandSummary } from "../../api/types";
import { setLang, texts } from "../../i18n";
import { EraseDialog } from "./EraseDialog";

const DEMAND = { demand_id: "d-00000001", raw_input: "聚会" } as DemandSummary;

beforeEach(() => setLang("zh"));
afterEach(cleanup);

it("tells a failure inside itself, in the page's words, and stays open", async () => {
  vi.spyOn(client, "erase").mockRejectedValue(asProblem(new TypeError("Failed to fetch")));
  const closed = vi.fn();
  render(<EraseDialog demand={DEMAND} onClose={closed} onErased={() => undefined} />);
  fireEvent.click(screen.getByTestId("erase-confirm"));
  const told = await within(screen.getByTestId("erase-dialog")).findByRole("alert");
  expect(told.textContent).toContain(texts("zh").errors.offline.message);
  expect(told.textContent).not.toContain("Failed to fetch");
  expect(closed).not.toHaveBeenCalled();
});
