import { fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { expect, it } from "vitest";
import { setLang } from "../../i18n";
import { DaysEditor } from "./DaysEditor";

function Days() {
  const [days, setDays] = useState<readonly string[]>(["2026-12-01", "2026-12-02"]);
  return <DaysEditor days={days} change={setDays} />;
}

it("gives the focus to the picker when a day is taken away", () => {
  setLang("en");
  render(<Days />);
  const [first] = screen.getAllByRole("button", { name: /1 Dec/ });
  fireEvent.click(first as HTMLElement);
  expect(screen.queryByRole("button", { name: /1 Dec/ })).toBeNull();
  expect(document.activeElement?.getAttribute("type")).toBe("date");
});
