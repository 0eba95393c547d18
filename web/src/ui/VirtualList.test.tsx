import { act, fireEvent, render, screen, waitFor } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { VirtualList } from ".";

const ROW = 40;
const BOX = 200;

/** A box that scrolls as one with a layout does: each row as high as its estimate. */
function laidOut() {
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockImplementation(function (this: HTMLElement) {
    return this.tagName === "SECTION" ? BOX : ROW;
  });
  const offsets = new WeakMap<Element, number>();
  const most = (box: Element) => Math.max(0, box.scrollHeight - BOX);
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(BOX);
  vi.spyOn(Element.prototype, "scrollHeight", "get").mockImplementation(function (this: Element) {
    return Number.parseFloat(this.querySelector("ul")?.style.height ?? "0");
  });
  vi.spyOn(Element.prototype, "scrollTop", "get").mockImplementation(function (this: Element) {
    return Math.min(offsets.get(this) ?? 0, most(this));
  });
  Element.prototype.scrollTo = function (this: Element, to?: ScrollToOptions | number) {
    const before = this.scrollTop;
    offsets.set(this, typeof to === "object" ? (to.top ?? 0) : 0);
    if (this.scrollTop !== before) fireEvent.scroll(this);
  } as Element["scrollTo"];
}

const rows = (from: number, count: number) =>
  Array.from({ length: count }, (_, index) => `row ${from + index}`);
const list = (items: readonly string[]) => (
  <VirtualList items={items} rowKey={String} estimate={ROW} label="Rows" render={(item) => item} />
);
const box = () => screen.getByRole("region", { name: "Rows" });
/** Where a row stands in the box. */
const placeOf = (name: string) => {
  const shift = screen.getByText(name).closest("li")?.style.transform ?? "";
  return Number(/translateY\((\d+)px\)/.exec(shift)?.[1]) - box().scrollTop;
};

it("stays at its end although it does not grow", async () => {
  laidOut();
  const { rerender } = render(list(rows(0, 100)));
  await waitFor(() => expect(placeOf("row 99")).toBe(BOX - ROW));
  act(() => box().scrollTo({ top: 100 * ROW - BOX - 10 })); // near enough
  rerender(list(rows(3, 100)));
  await waitFor(() => expect(placeOf("row 102")).toBe(BOX - ROW));
});

it("keeps what is read in its place while rows leave at the top and others come", () => {
  laidOut();
  const { rerender } = render(list(rows(0, 100)));
  act(() => box().scrollTo({ top: 50 * ROW + 7 }));
  expect(placeOf("row 50")).toBe(-7);
  for (let gone = 1; gone <= 20; gone += 1) rerender(list(rows(gone, 100)));
  expect(placeOf("row 50")).toBe(-7);
});
