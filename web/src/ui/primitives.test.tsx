import { fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { expect, it, vi } from "vitest";
import { setLang } from "../i18n";
import { Button, Card, Dialog, Field, Table, Tabs, VirtualList } from ".";

function Tabbed() {
  const [current, setCurrent] = useState<"a" | "b" | "c">("a");
  const tabs = [
    { id: "a", label: "A" },
    { id: "b", label: "B" },
    { id: "c", label: "C" },
  ] as const;
  return (
    <Tabs label="Letters" tabs={tabs} current={current} onChange={setCurrent}>
      {(shown) => <p>panel {shown}</p>}
    </Tabs>
  );
}

it("tabs have one stop, and arrows, Home and End move", () => {
  render(<Tabbed />);
  const tab = (name: string) => screen.getByRole("tab", { name });
  expect(screen.getAllByRole("tab").map((one) => one.tabIndex)).toEqual([0, -1, -1]);
  fireEvent.keyDown(tab("A"), { key: "ArrowRight" });
  expect(document.activeElement).toBe(tab("B"));
  expect(screen.getByRole("tabpanel", { name: "B" }).textContent).toBe("panel b");
  fireEvent.keyDown(tab("B"), { key: "End" });
  expect(document.activeElement).toBe(tab("C"));
  fireEvent.keyDown(tab("C"), { key: "ArrowRight" });
  expect(document.activeElement).toBe(tab("A"));
  fireEvent.keyDown(tab("A"), { key: "ArrowLeft" });
  fireEvent.keyDown(tab("C"), { key: "Home" });
  expect(tab("A").getAttribute("aria-selected")).toBe("true");
});

it("a busy button keeps the focus and takes no press", () => {
  const pressed = vi.fn();
  const { rerender } = render(<Button onClick={pressed}>Go</Button>);
  const button = screen.getByRole<HTMLButtonElement>("button");
  button.focus();
  rerender(
    <Button busy onClick={pressed}>
      Go
    </Button>,
  );
  fireEvent.click(button);
  expect(pressed).not.toHaveBeenCalled();
  expect(document.activeElement).toBe(button);
  expect(button.getAttribute("aria-busy")).toBe("true");
});

it("a busy submit button submits nothing", () => {
  const sent = vi.fn();
  render(
    <form onSubmit={sent}>
      <Button type="submit" busy>
        Go
      </Button>
    </form>,
  );
  fireEvent.click(screen.getByRole("button"));
  expect(sent).not.toHaveBeenCalled();
});

it("a field ties its label, hint and error to the control, and the error is heard", () => {
  render(
    <Field label="Name" hint="in full" error="missing">
      <input />
    </Field>,
  );
  const input = screen.getByLabelText("Name");
  const described = input.getAttribute("aria-describedby")?.split(" ") ?? [];
  expect(described.map((id) => document.getElementById(id)?.textContent)).toEqual(["in full", "missing"]);
  expect(input.getAttribute("aria-invalid")).toBe("true");
  expect(screen.getByRole("alert").textContent).toBe("missing");
});

it("a dialog is named by its title, and closes on Escape and by its button", () => {
  setLang("en");
  const close = vi.fn();
  render(
    <Dialog open title="Sure?" onClose={close}>
      text
    </Dialog>,
  );
  const dialog = screen.getByRole("dialog", { name: "Sure?" });
  fireEvent(dialog, new Event("cancel", { cancelable: true }));
  fireEvent.click(screen.getByRole("button", { name: "Close" }));
  expect(close).toHaveBeenCalledTimes(2);
});

it("a card is a section with its heading as name", () => {
  render(
    <Card title="Plan" level={3} data-testid="plan">
      x
    </Card>,
  );
  expect(screen.getByRole("region", { name: "Plan" })).toBe(screen.getByTestId("plan"));
  expect(screen.getByRole("heading", { level: 3 }).textContent).toBe("Plan");
});

it("a table's box can be reached by key, since it may scroll", () => {
  render(
    <Table caption="Costs" head={["who", "sum"]}>
      <tr>
        <td>a</td>
        <td>1</td>
      </tr>
    </Table>,
  );
  expect(screen.getByRole("region", { name: "Costs" }).tabIndex).toBe(0);
  expect(screen.getByRole("table", { name: "Costs" })).toBeTruthy();
});

it("a long list shows a part, and tells how long it is", () => {
  const items = Array.from({ length: 500 }, (_, index) => `row ${index}`);
  const { container } = render(
    <VirtualList items={items} rowKey={String} estimate={40} label="Rows" render={(item) => item} />,
  );
  const rows = container.querySelectorAll("li");
  expect(rows.length).toBeGreaterThan(0);
  expect(rows.length).toBeLessThan(500);
  expect(rows[0]?.getAttribute("aria-setsize")).toBe("500");
});
