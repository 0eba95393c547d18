import { expect, it } from "vitest";
import { isLink } from "./link";

it("takes a link as the node makes it, and none that somebody crafted", () => {
  const token = "n_-0".repeat(11);
  expect(isLink("collab-0000feed", token)).toBe(true);
  expect(isLink("collab-0000FEED", token)).toBe(false);
  expect(isLink("collab-1/../agents", token)).toBe(false);
  expect(isLink("collab-0000feed\n", token)).toBe(false);
  for (const crafted of ["tok\r\nX: y", "a".repeat(100_000), "秘密的令牌在这里", "short", `${token}\n`]) {
    expect(isLink("collab-0000feed", crafted), crafted.slice(0, 20)).toBe(false);
  }
});
