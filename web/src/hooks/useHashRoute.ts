import { useSyncExternalStore } from "react";

/** Where the page stands. All of it is in the fragment, which no server gets to see. */
export type Route =
  | { readonly page: "form" }
  | { readonly page: "negotiation"; readonly demandId: string }
  | { readonly page: "list" }
  | { readonly page: "agents" }
  | { readonly page: "replay"; readonly demandId: string | null }
  | { readonly page: "join"; readonly channelId: string; readonly token: string }
  | { readonly page: "unknown" };

/** The route a fragment names; total, since anybody may write one. */
export function parseRoute(hash: string): Route {
  const [first = "", second = "", third = "", ...more] = parts(hash);
  const depth = third ? 3 : second ? 2 : 1;
  if (more.length > 0) return { page: "unknown" };
  if (first === "" && depth === 1) return { page: "form" };
  if (first === "list" && depth === 1) return { page: "list" };
  if (first === "agents" && depth === 1) return { page: "agents" };
  if (first === "replay" && depth < 3) return { page: "replay", demandId: second || null };
  if (first === "n" && depth === 2) return { page: "negotiation", demandId: second };
  if (first === "join" && depth === 3) return { page: "join", channelId: second, token: third };
  return { page: "unknown" };
}

/** The fragment of a route. */
export function hrefTo(route: Route): string {
  switch (route.page) {
    case "negotiation":
      return `#/n/${encodeURIComponent(route.demandId)}`;
    case "replay":
      return route.demandId ? `#/replay/${encodeURIComponent(route.demandId)}` : "#/replay";
    case "join":
      return `#/join/${encodeURIComponent(route.channelId)}/${encodeURIComponent(route.token)}`;
    case "list":
    case "agents":
      return `#/${route.page}`;
    default:
      return "#/";
  }
}

export function go(route: Route): void {
  window.location.hash = hrefTo(route);
}

export function useHashRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => window.location.hash));
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}

function parts(hash: string): string[] {
  try {
    return hash
      .replace(/^#?\/?/, "")
      .replace(/\/$/, "")
      .split("/")
      .map(decodeURIComponent);
  } catch {
    return ["?"]; // a broken escape names no page
  }
}
