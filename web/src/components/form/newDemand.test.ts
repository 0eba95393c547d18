import { describe, expect, it } from "vitest";
import { texts } from "../../i18n";
import { characters, type DemandDraft, demandBody, faultsOf, linksOf, sound } from "./newDemand";

const { form } = texts("en");
const BLANK: DemandDraft = { words: "", people: [], confirm: false };
const faults = (part: Partial<DemandDraft>) => faultsOf({ ...BLANK, ...part }, form, String);

describe("what may be sent", () => {
  it.each(["", "   ", "\n\t"])("is no empty demand: %j", (words) => {
    expect(faults({ words }).words).toBe(form.empty);
  });

  it("is at most 10,000 characters, as the node counts them", () => {
    expect(characters("🎈好")).toBe(2);
    expect(sound(faults({ words: "🎈".repeat(10_000) }))).toBe(true);
    expect(faults({ words: "好".repeat(10_002) }).words).toBe(form.tooLong("2"));
  });

  it("names every person and what they can do, but asks nothing of an empty row", () => {
    const people = [
      { key: 1, name: "", tags: [] },
      { key: 2, name: "Lin", tags: [] },
      { key: 3, name: " ", tags: ["host"] },
      { key: 4, name: "x".repeat(81), tags: ["host"] },
    ];
    expect(faults({ words: "x", people }).people).toEqual({
      2: { tags: form.tagsMissing },
      3: { name: form.nameMissing },
      4: { name: form.nameLong },
    });
  });
});

describe("the body", () => {
  it("holds the words alone when nothing else was said", () => {
    expect(demandBody({ ...BLANK, words: "x" })).toEqual({ raw_input: "x" });
  });

  it("holds the wish to confirm and the people", () => {
    const people = [
      { key: 1, name: " Lin ", tags: ["host"] },
      { key: 2, name: "", tags: [] },
    ];
    expect(demandBody({ words: "x", people, confirm: true })).toEqual({
      raw_input: "x",
      confirm: true,
      participants: [{ display_name: "Lin", capability_tags: ["host"] }],
    });
  });
});

it("gives each person the link of their own token", () => {
  const body = {
    raw_input: "x",
    participants: ["Lin", "Wu"].map((name) => ({ display_name: name, capability_tags: ["host"] })),
  };
  const links = linksOf(
    body,
    "c",
    { person_1: "t1", person_2: "t2" },
    (channel, token) => `${channel}/${token}`,
  );
  expect(links).toEqual([
    { name: "Lin", url: "c/t1" },
    { name: "Wu", url: "c/t2" },
  ]);
});
