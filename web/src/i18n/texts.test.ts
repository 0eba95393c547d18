import { describe, expect, it } from "vitest";
import { texts } from ".";

const HAN = /\p{Script=Han}/u;
const LETTERS = /\p{Script=Latin}{2,}/u;
/** Names stand alike in every language. */
const NAMES = new Set(["Moothall", "JSON"]);

/** Every text with its path; a function is called with placeholders that belong to neither language. */
function leaves(value: unknown, path: string): [string, string][] {
  if (typeof value === "string") return [[path, value]];
  if (typeof value === "function")
    return leaves(value(...Array.from({ length: value.length }, () => 7)), path);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => leaves(inner, `${path}.${name}`));
}

const zh = leaves(texts("zh"), "zh");
const en = leaves(texts("en"), "en");

describe("the texts of the page", () => {
  it("have the same paths in both languages", () => {
    const bare = (all: [string, string][]) => all.map(([path]) => path.slice(2)).sort();
    expect(bare(en)).toEqual(bare(zh));
  });

  it("are never empty", () => {
    expect([...zh, ...en].filter(([, value]) => value.trim() === "")).toEqual([]);
  });

  it("hold words of their own language in Chinese", () => {
    expect(zh.filter(([, value]) => LETTERS.test(value) && !HAN.test(value) && !NAMES.has(value))).toEqual(
      [],
    );
  });

  it("count one thing in the singular", () => {
    const { negotiation, plan } = texts("en");
    expect(negotiation.steps.totals(1, 1)).toBe("1 step, 1 question to a model");
    expect(plan.end.usage(1, "7", "$0.01")).toBe("1 request, 7 tokens, $0.01");
    expect(negotiation.steps.totals(2, 0)).toBe("2 steps, 0 questions to a model");
  });

  it("call each thing by one name in Chinese", () => {
    const others = /您|参与方|协作者|顶替|替补者|代理人/;
    expect(zh.filter(([, value]) => others.test(value))).toEqual([]);
  });

  it("hold no Chinese in English", () => {
    expect(en.filter(([, value]) => HAN.test(value))).toEqual([]);
  });
});
