import { describe, expect, it } from "vitest";
import { texts } from "../../i18n";
import { draftOf, type EditDraft, editFaults, editsOf } from "./confirmEdits";
import { refusedFields } from "./refusedFields";
import { understood } from "./understood.fixture";

const before = draftOf(understood());
const edits = (part: Partial<EditDraft>) => editsOf(before, { ...before, ...part });

describe("what is sent with a confirmation", () => {
  it("is nothing when nothing was changed", () => {
    expect(edits({})).toEqual({});
    expect(edits({ location: " 北京 " })).toEqual({});
  });

  it("is the changed fields alone", () => {
    expect(edits({ location: "上海" })).toEqual({ context: { location: "上海" } });
    expect(edits({ capability_tags: ["场地提供", "摄影"] })).toEqual({
      capability_tags: ["场地提供", "摄影"],
    });
    expect(edits({ expected_attendees: "60", date: "下周六" })).toEqual({
      context: { expected_attendees: 60, date: "下周六" },
    });
  });

  it("takes a limit away where a field was emptied", () => {
    expect(edits({ location: "", expected_attendees: "", budget: " " })).toEqual({
      context: { location: null, expected_attendees: null, budget: null },
    });
  });

  it("sends a sum as a number, and words for the node to read", () => {
    expect(edits({ budget: "9000.5" })).toEqual({ context: { budget: 9000.5 } });
    expect(edits({ budget: "2万元" })).toEqual({ context: { budget: "2万元" } });
  });
});

it("is refused where it cannot be meant", () => {
  const words = texts("en").form.understanding;
  const faults = (part: Partial<EditDraft>) => editFaults({ ...before, ...part }, words);
  expect(faults({})).toEqual({});
  expect(faults({ capability_tags: [] })).toEqual({ capability_tags: words.tagsEmpty });
  expect(faults({ expected_attendees: "1.5" })).toEqual({ expected_attendees: words.attendeesBad });
  expect(faults({ expected_attendees: "0" })).toEqual({ expected_attendees: words.attendeesBad });
  expect(faults({ budget: "-1" })).toEqual({ budget: words.budgetBad });
});

describe("what a refusal says of single fields", () => {
  it.each([
    [
      "understanding.context.date: it is over, or ends before it starts",
      { date: "it is over, or ends before it starts" },
    ],
    ["understanding.context.budget：读不出一个总金额", { budget: "读不出一个总金额" }],
    [
      "understanding.capability_tags.0 may have at most 60 characters",
      { capability_tags: "may have at most 60 characters" },
    ],
    ["price: a; dates: b", { price: "a", dates: "b" }],
    ["", {}],
  ])("is found in %j", (why, found) => {
    expect(refusedFields(why)).toEqual(found);
  });
});
