// @vitest-environment jsdom

import { expect, it } from "vitest";
import { texts } from "../../i18n";
import { limitsOf } from "./limits";
import { understood } from "./understood.fixture";

it("names a last day so that it is one of the days, and lists in the manner of the language", () => {
  const { constraints, ...rest } = understood();
  const demand = {
    ...rest,
    constraints: { ...constraints, date_start: null, date_end: "2027-03-15", excluded: ["酒", "烟"] },
  };
  const told = (lang: "zh" | "en", field: string) =>
    limitsOf(demand, texts(lang).form.understanding, lang).find((one) => one.field === field)?.value;
  expect(told("zh", "date")).toMatch(/^截至2027年3月15日/);
  expect(told("en", "excluded")).toBe("酒, 烟");
  expect(told("zh", "excluded")).toBe("酒、烟");
});
