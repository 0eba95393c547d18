import type { Understanding } from "../../api/types";

/** An understanding as the rules make it of 我想在北京办一场AI主题聚会, for tests. */
export function understood(part: Partial<Understanding> = {}): Understanding {
  return {
    surface_demand: "想在北京办一场AI主题聚会",
    deep_understanding: { motivation: "", likely_preferences: [], emotional_context: "" },
    capability_tags: ["场地提供", "演讲嘉宾"],
    context: { location: "北京", expected_attendees: 40, date: null, budget: 8000 },
    uncertainties: ["没有写明日期"],
    confidence: "high",
    constraints: {
      city: "beijing",
      attendees: 40,
      budget: 8000,
      currency: "CNY",
      duration_days: 1,
      excluded: [],
      online: false,
    },
    requirements: [],
    lang: "zh",
    ...part,
  };
}
