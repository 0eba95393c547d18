import { expect, it } from "vitest";
import { hrefTo, parseRoute, type Route } from "./useHashRoute";

const ROUTES: readonly Route[] = [
  { page: "form" },
  { page: "list" },
  { page: "agents" },
  { page: "replay", demandId: null },
  { page: "replay", demandId: "d-1" },
  { page: "negotiation", demandId: "d-1f8fce3d" },
  { page: "join", channelId: "collab-1", token: "a_b-C/ü" },
];

it.each(ROUTES)("finds back from the address of $page", (route) => {
  expect(parseRoute(hrefTo(route))).toEqual(route);
});

it.each(["", "#", "#/"])("starts with the form at %j", (hash) => {
  expect(parseRoute(hash)).toEqual({ page: "form" });
});

it.each(["#/n", "#/nope", "#/join/a", "#/list/more", "#/n/a/b", "#/join/a/b/c", "#/%E0%A4"])(
  "knows no page at %j",
  (hash) => {
    expect(parseRoute(hash).page).toBe("unknown");
  },
);
