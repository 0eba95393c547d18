import { describe, expect, it } from "vitest";
import { Problem } from "../../api/problem";
import { texts } from "../../i18n";
import { draftOf, fieldOfWrongType, profileOf } from "./draft";
import { draftErrors, elsewhere, fieldsOf, nodeErrors } from "./draftErrors";

const PROFILE = {
  agent_id: "user_agent_ada",
  user_name: "Ada",
  profile_summary: "词".repeat(220),
  location: "Berlin",
  tags: ["venue", "music"],
  interests: [],
  availability: "",
  capabilities: {
    languages: ["en"],
    max_roles: 2,
    calendar: { weekdays: [0, 6], lead_days: 3, blackout: ["2027-01-01"] },
    offers: [
      {
        tag: "venue",
        title: "Room",
        price: 60.5,
        currency: "EUR",
        unit: "hour",
        capacity: null,
        remote: false,
        quantity: 3,
        conditions: [{ kind: "requires", tag: "music" }],
      },
    ],
    own_key: { kept: true },
  },
};
const t = texts("en").agents.errors;

describe("a draft", () => {
  it("gives back what it was made from, with the fields that the form does not show", () => {
    const added = { status: "active", origin: "user", revision: 4, updated_at: "2026-11-21T08:00:00Z" };
    expect(profileOf(draftOf({ ...PROFILE, ...added }))).toEqual(PROFILE);
  });

  it("is found faultless where the profile is", () => {
    expect(draftErrors(draftOf(PROFILE), t)).toEqual({});
  });

  it("tells at each field what is missing", () => {
    const draft = draftOf({ capabilities: { offers: [{ tag: "x", capacity: 1.5, currency: "eur" }] } });
    const errors = draftErrors({ ...draft, maxRoles: "many" }, t);
    expect(errors).toMatchObject({
      agent_id: t.id,
      user_name: t.required,
      profile_summary: t.summary,
      tags: t.required,
      "capabilities.max_roles": t.whole,
      "capabilities.offers[0].tag": t.tagNotListed,
      "capabilities.offers[0].price": t.number,
      "capabilities.offers[0].currency": t.currency,
      "capabilities.offers[0].capacity": t.whole,
    });
  });

  it("is refused for JSON that the form could not show", () => {
    expect(fieldOfWrongType(PROFILE)).toBeNull();
    expect(fieldOfWrongType({})).toBeNull();
    expect(fieldOfWrongType({ tags: "venue" })).toBe("tags");
    expect(fieldOfWrongType({ user_name: 7 })).toBe("user_name");
    expect(fieldOfWrongType({ capabilities: [] })).toBe("capabilities");
    expect(fieldOfWrongType({ capabilities: { offers: [1] } })).toBe("capabilities.offers");
    expect(fieldOfWrongType({ capabilities: { calendar: { weekdays: ["Mon"] } } })).toContain("weekdays");
  });
});

it("puts the node's words at the fields they name, and the rest above the form", () => {
  const why =
    "user_name 至少 1 个字符；capabilities.offers[0].price must be at least 0; capabilities.offers: ['x'] no tag";
  const errors = nodeErrors(new Problem({ code: "INVALID_INPUT", why }));
  expect(errors.user_name).toContain("至少 1");
  expect(errors["capabilities.offers[0].price"]).toContain("at least 0");
  expect(elsewhere(errors, fieldsOf(draftOf(PROFILE)))).toEqual(["capabilities.offers: ['x'] no tag"]);
});
