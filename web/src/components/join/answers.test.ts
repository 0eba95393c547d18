import { describe, expect, it } from "vitest";
import { texts } from "../../i18n";
import {
  type ChangeDraft,
  changeBody,
  changeFaults,
  type OfferDraft,
  offerBody,
  offerFaults,
} from "./answers";

const { join } = texts("en");

const OFFER: OfferDraft = {
  decision: "participate",
  contribution: " a talk ",
  price: "",
  currency: "CNY",
  dates: [],
  conditions: "a projector\n\n water ",
  declineReason: "away",
  reasoning: "",
};

const CHANGE: ChangeDraft = { price: "", date: "", requires: "", dropRole: "", words: "" };

describe("an offer", () => {
  it("names no price when none is asked for, and no condition when it has none", () => {
    expect(offerBody(OFFER, 0)).toEqual({ decision: "participate", contribution: "a talk" });
  });

  it("names price, days in their order and conditions line by line", () => {
    const draft = {
      ...OFFER,
      decision: "conditional",
      price: "500.50",
      dates: ["2027-03-16", "2027-03-15"],
    } as const;
    expect(offerBody(draft, 1)).toEqual({
      decision: "conditional",
      round: 1,
      contribution: "a talk",
      price: 500.5,
      currency: "CNY",
      dates: ["2027-03-15", "2027-03-16"],
      conditions: ["a projector", "water"],
    });
  });

  it("that declines names its reason alone", () => {
    expect(offerBody({ ...OFFER, decision: "decline", price: "5" }, 0)).toEqual({
      decision: "decline",
      decline_reason: "away",
    });
  });

  it.each([
    [{ contribution: " " }, { contribution: join.contributionEmpty }],
    [{ price: "1.234" }, { price: join.priceBad }],
    [{ price: "-1" }, { price: join.priceBad }],
    [{ decision: "conditional", conditions: " \n" }, { conditions: join.conditionsEmpty }],
    [{ decision: "decline", contribution: "", price: "x" }, {}],
  ] as const)("%j is refused with %j", (part, faults) => {
    expect(offerFaults({ ...OFFER, ...part }, join)).toEqual(faults);
  });
});

describe("a wish for a change", () => {
  it("says what should change", () => {
    const draft = {
      price: "650",
      date: "2027-03-16",
      requires: "interpreting",
      dropRole: "host",
      words: "far",
    };
    expect(changeBody(draft, 2)).toEqual({
      feedback_type: "negotiate",
      round: 2,
      proposed_changes: { price: 650, date: "2027-03-16", requires: "interpreting", drop_role: "host" },
      adjustment_request: "far",
    });
  });

  it("may be words alone, but not nothing", () => {
    expect(changeBody({ ...CHANGE, words: "later" }, 1)).toEqual({
      feedback_type: "negotiate",
      round: 1,
      adjustment_request: "later",
    });
    expect(changeFaults(CHANGE, join)).toEqual({ adjustment_request: join.changes.empty });
    expect(changeFaults({ ...CHANGE, price: "a" }, join)).toEqual({ price: join.priceBad });
  });
});
