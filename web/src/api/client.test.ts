// @vitest-environment jsdom

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { eventsOf } from "../fixtures/runs";
import { createSession, type Session } from "../state/session";
import { NodeClient } from "./client";
import { asProblem, BAD_ANSWER, OFFLINE, Problem } from "./problem";
import type { LogEvent } from "./types";

const fetched = vi.fn<typeof fetch>();

let session: Session;
let client: NodeClient;

function json(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), { status, headers });
}

function refusal(code: string, status: number, headers: Record<string, string> = {}): Response {
  return json({ error: { code, message: "no", why: "because", hint: "do" } }, status, headers);
}

function request(index = fetched.mock.calls.length - 1) {
  const [url, init] = fetched.mock.calls[index] ?? [];
  return { url: String(url), init, headers: new Headers(init?.headers) };
}

beforeEach(() => {
  fetched.mockReset();
  vi.stubGlobal("fetch", fetched);
  session = createSession();
  client = new NodeClient(session);
  document.documentElement.lang = "en";
});

afterEach(() => {
  document.documentElement.lang = "";
});

it("asks in the language of the page, below the address of the page, and keeps the stream's token", async () => {
  fetched.mockResolvedValue(json({ demand_id: "d-00000001", stream_token: "t0k" }));
  await client.submit({ raw_input: "x", confirm: true });
  const { url, init, headers } = request();
  expect([url, init?.method, init?.body]).toEqual([
    "./api/v1/demand/submit",
    "POST",
    '{"raw_input":"x","confirm":true}',
  ]);
  expect(headers.get("Accept-Language")).toBe("en");
  expect(headers.get("Content-Type")).toBe("application/json");
  expect(headers.has("Authorization")).toBe(false);
  expect(client.streamUrl("d-00000001", "evt-00000001-3")).toBe(
    "./api/v1/events/negotiations/d-00000001/stream?last_event_id=evt-00000001-3&token=t0k",
  );
  expect(client.streamUrl("d-00000002")).toBe("./api/v1/events/negotiations/d-00000002/stream");
});

it("never sends a secret that no header can carry, and asks for another key", async () => {
  session.setState({ apiKey: "密钥" });
  fetched.mockImplementation(async (_, init) =>
    new Headers(init?.headers).has("Authorization") ? json({ steps: [] }) : refusal("UNAUTHENTICATED", 401),
  );
  const steps = client.steps("d-00000001");
  await vi.waitFor(() => expect(session.getState().keyAsked).toBe("api"));
  session.getState().answer("密钥");
  await expect(steps).rejects.toMatchObject({ code: "UNAUTHENTICATED" });
  expect(fetched).toHaveBeenCalledTimes(1);
  await expect(client.invitation("collab-1", "断开")).rejects.toMatchObject({ status: 401 });
  expect(fetched).toHaveBeenCalledTimes(1);
});

it("sends each key where it belongs, and people's tokens instead of keys", async () => {
  session.setState({ apiKey: "user", adminKey: "admin" });
  fetched.mockImplementation(async () => json({ agents: [], steps: [], demands: [] }));
  await client.demands(null, "failed");
  expect(request().url).toBe("./api/v1/demand?status=failed");
  expect(request().headers.get("Authorization")).toBe("Bearer user");
  expect(request().headers.has("X-Admin-Key")).toBe(false);
  expect(await client.agents("场地")).toEqual([]);
  expect(request().url).toBe(`./api/v1/admin/agents?text=${encodeURIComponent("场地")}`);
  expect(request().headers.get("X-Admin-Key")).toBe("admin");
  expect(request().headers.has("Authorization")).toBe(false);
  await client.invitation("collab-00000001", "mine");
  expect(request().headers.get("X-Participant-Token")).toBe("mine");
  expect(request().headers.has("Authorization")).toBe(false);
});

it.each([
  ["seats", () => client.seats("collab-1"), "GET", "channels/collab-1/agents"],
  ["steps", () => client.steps("d-1"), "GET", "demand/d-1/steps"],
  ["demand", () => client.demand("d/1"), "GET", "demand/d%2F1"],
  ["status", () => client.status("d-1"), "GET", "demand/d-1/status"],
  ["cancel", () => client.cancel("d-1"), "POST", "demand/d-1/cancel"],
  ["confirm", () => client.confirm("d-1", { context: { location: null } }), "POST", "demand/d-1/confirm"],
  ["erase", () => client.erase("d-1"), "DELETE", "demand/d-1"],
  ["offer", () => client.offer("c-1", "t", { decision: "decline" }), "POST", "channels/c-1/offer"],
  [
    "feedback",
    () => client.feedback("c-1", "t", { feedback_type: "accept" }),
    "POST",
    "channels/c-1/feedback",
  ],
  ["agent", () => client.agent("user_agent_x"), "GET", "admin/agents/user_agent_x"],
  ["disable", () => client.disableAgent("a"), "POST", "admin/agents/a/disable"],
  ["enable", () => client.enableAgent("a"), "POST", "admin/agents/a/enable"],
])("knows the route of %s", async (_, ask, method, path) => {
  fetched.mockResolvedValue(json({ agents: [], steps: [] }));
  await ask();
  expect([request().init?.method, request().url]).toEqual([method, `./api/v1/${path}`]);
});

it("edits the revision that was read", async () => {
  fetched.mockImplementation(async () => json({}));
  const agent = { agent_id: "a", user_name: "A", profile_summary: "", location: "北京", tags: [] };
  await client.createAgent(agent);
  expect([request().init?.method, request().url]).toEqual(["POST", "./api/v1/admin/agents"]);
  await client.editAgent(agent, 3);
  expect([request().init?.method, request().url]).toEqual(["PUT", "./api/v1/admin/agents/a?revision=3"]);
});

it("takes an answer without content for one", async () => {
  fetched.mockResolvedValue(new Response(null, { status: 204 }));
  await expect(client.erase("d-1")).resolves.toBeUndefined();
});

it("reads a long log slice by slice", async () => {
  const long = Array.from({ length: 450 }, (_, seq): LogEvent => {
    const [event] = eventsOf("cancelled");
    return { ...event, event_id: `evt-00000001-${seq}` } as LogEvent;
  });
  fetched.mockImplementation(async (url) => {
    const after = new URL(String(url), "http://node/").searchParams.get("after");
    const from = after === null ? 0 : Number(after.split("-").at(-1)) + 1;
    return json({ events: long.slice(from, from + 200), status: "closed" });
  });
  expect(await client.allEvents("d-00000001")).toEqual(long);
  expect(await client.allEvents("d-00000001", "evt-00000001-440")).toHaveLength(9);
  expect(fetched).toHaveBeenCalledTimes(4);
});

describe("problems", () => {
  const problem = async (): Promise<Problem> => client.demand("d-1").then(() => expect.fail(), asProblem);

  it("are told in the node's words", async () => {
    fetched.mockResolvedValue(refusal("RATE_LIMITED", 429, { "Retry-After": "7" }));
    expect(await problem()).toMatchObject({
      code: "RATE_LIMITED",
      status: 429,
      message: "no",
      why: "because",
      hint: "do",
      retryAfter: 7,
    });
  });

  it("have codes where the node says nothing", async () => {
    fetched.mockRejectedValue(new TypeError("failed to fetch"));
    expect(await problem()).toMatchObject({ code: OFFLINE, status: 0 });
    fetched.mockResolvedValue(new Response("<html>", { status: 502 }));
    expect(await problem()).toMatchObject({ code: BAD_ANSWER, status: 502, retryAfter: null });
    fetched.mockResolvedValue(json({ detail: "x" }, 500));
    expect(await problem()).toMatchObject({ code: BAD_ANSWER, status: 500 });
    fetched.mockResolvedValue(new Response("<html>"));
    expect(await problem()).toMatchObject({ code: BAD_ANSWER, status: 200 });
  });

  it("are none when nobody listens any more", async () => {
    const abort = new AbortController();
    const gone = new DOMException("gone", "AbortError");
    fetched.mockImplementation(async () => {
      abort.abort();
      throw gone;
    });
    await expect(client.demand("d-1", abort.signal)).rejects.toBe(gone);
  });
});

describe("keys", () => {
  const answer = async (key: string | null) => {
    await vi.waitFor(() => expect(session.getState().keyAsked).not.toBeNull());
    session.getState().answer(key);
  };

  it("are asked for, and the request is sent again", async () => {
    fetched.mockImplementation(async (_, init) =>
      new Headers(init?.headers).get("Authorization") === "Bearer right"
        ? json({ demand_id: "d-1" })
        : refusal("UNAUTHENTICATED", 401),
    );
    const both = Promise.all([client.demand("d-1"), client.status("d-1")]);
    await answer("wrong");
    await answer("right");
    expect(await both).toHaveLength(2);
  });

  it("may be refused by the person: then the problem stands", async () => {
    fetched.mockImplementation(async () => refusal("FORBIDDEN", 403));
    const asked = client.agents();
    await answer(null);
    await expect(asked).rejects.toMatchObject({ code: "FORBIDDEN" });
  });

  it("are not asked for in the background", async () => {
    fetched.mockImplementation(async () => refusal("UNAUTHENTICATED", 401));
    await expect(client.demands(null, null, undefined, true)).rejects.toMatchObject({ status: 401 });
    expect(session.getState().keyAsked).toBeNull();
  });

  it("are not asked for where none would help", async () => {
    fetched.mockImplementation(async () => refusal("FORBIDDEN", 403));
    await expect(client.demand("d-1")).rejects.toBeInstanceOf(Problem);
    fetched.mockImplementation(async () => refusal("UNAUTHENTICATED", 401));
    await expect(client.invitation("c-1", "forged")).rejects.toMatchObject({ status: 401 });
    expect(session.getState().keyAsked).toBeNull();
  });
});
