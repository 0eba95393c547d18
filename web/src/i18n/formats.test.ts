import { expect, it } from "vitest";
import { count, day, isolated, listed, modelCost, money, span } from "./formats";

it("writes sums with cents only where there are some, and unknown currencies by their code", () => {
  expect(money(3900, "CNY", "zh")).toBe("¥3,900");
  expect(money(12.5, "CNY", "zh")).toBe("¥12.50");
  expect(money(5, "points", "en")).toBe("5 points");
});

it("writes what models cost to the fraction of a cent, but large sums to the cent", () => {
  expect(modelCost(0.00013, "en")).toBe("$0.00013");
  expect(modelCost(1.23456, "zh")).toBe("$1.23");
  expect(modelCost(0, "en")).toBe("$0.00");
});

it("writes a plain day as that day, wherever the browser stands", () => {
  expect(day("2027-03-15", "zh")).toContain("2027年3月15日");
  expect(day("2027-03-15", "en")).toContain("15 Mar 2027");
  expect(day("some day", "en")).toBe("some day");
});

it("writes lengths of time in their two largest units", () => {
  expect(span(0, "en")).toBe("0 s");
  expect(span(1.25, "en")).toBe("1.3 s");
  expect(span(59.6, "en")).toBe("1 min");
  expect(span(75, "zh")).toBe("1 分 15 秒");
  expect(span(3_600, "zh")).toBe("1 小时");
  expect(span(90_000, "en")).toBe("1 d 1 h");
  expect(span(-3, "en")).toBe("0 s");
});

it("lists with the comma of the language", () => {
  expect(listed(["a", "b"], "zh")).toBe("a、b");
  expect(listed(["a", "b"], "en")).toBe("a, b");
});

it("sets the thousands apart", () => {
  expect(count(10_000, "zh")).toBe("10,000");
});

it("keeps a name from right to left apart from the words around it", () => {
  expect(isolated("Ada")).toBe("Ada");
  expect(isolated("قاعة")).toBe("\u2068قاعة\u2069");
  expect(listed(["Ada", "אולם"], "en")).toBe("Ada, \u2068אולם\u2069");
});
