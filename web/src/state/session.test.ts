// @vitest-environment jsdom

import { describe, expect, it } from "vitest";
import { createSession } from "./session";

describe("the session", () => {
  it("asks once for many, and tells all of them", async () => {
    const session = createSession();
    const asked = [session.getState().ask("api"), session.getState().ask("api")];
    expect(session.getState()).toMatchObject({ keyAsked: "api", keyRefused: false });
    session.getState().answer(" key ");
    expect(await Promise.all(asked)).toEqual([true, true]);
    expect(session.getState()).toMatchObject({ keyAsked: null, apiKey: "key" });
  });

  it("takes no for an answer", async () => {
    const session = createSession();
    for (const nothing of [null, "  "]) {
      const asked = session.getState().ask("admin");
      session.getState().answer(nothing);
      expect(await asked).toBe(false);
    }
    expect(session.getState().adminKey).toBeNull();
  });

  it("asks for one key after the other, and says when one was refused", async () => {
    const session = createSession();
    const first = session.getState().ask("api");
    const second = session.getState().ask("admin");
    session.getState().answer("a");
    expect(session.getState()).toMatchObject({ keyAsked: "admin", keyRefused: false });
    session.getState().answer("b");
    expect(await Promise.all([first, second])).toEqual([true, true]);
    void session.getState().ask("api");
    expect(session.getState()).toMatchObject({ keyAsked: "api", keyRefused: true });
  });

  it("hears no answer that nobody asked for", () => {
    const session = createSession();
    session.getState().answer("key");
    expect(session.getState()).toMatchObject({ apiKey: null, adminKey: null });
  });

  it("stores nothing outside of memory", () => {
    const session = createSession();
    session.getState().setStreamToken("d-00000001", "t");
    session.getState().setParticipantLinks("d-00000001", [{ name: "小林", url: "#/join/c/t" }]);
    expect(session.getState().streamTokens).toEqual({ "d-00000001": "t" });
    expect(session.getState().participantLinks["d-00000001"]).toHaveLength(1);
    expect(localStorage.length + sessionStorage.length).toBe(0);
  });
});
