import { act, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, it } from "vitest";
import { setLang, texts } from "../i18n";
import { session } from "../state/session";
import { Shell } from "./Shell";

const { key, keys } = texts("en").shell;

beforeEach(() => setLang("en"));
afterEach(() => session.getState().dismiss());

function asked(): Promise<boolean> {
  let given = Promise.resolve(false);
  act(() => {
    given = session.getState().ask("admin");
  });
  return given;
}

it("refuses in words a key that no request can carry, and goes on asking", async () => {
  render(
    <Shell route={{ page: "agents" }}>
      <h1>Agents</h1>
    </Shell>,
  );
  const given = asked();
  const dialog = screen.getByTestId("key-dialog");
  for (const bad of ["密钥", "“k-1”", "k 1", "k\u200b1"]) {
    fireEvent.change(within(dialog).getByTestId("admin-key"), { target: { value: bad } });
    fireEvent.click(within(dialog).getByTestId("key-use"));
    expect(within(dialog).getByRole("alert").textContent, bad).toBe(key.unsendable);
  }
  expect(session.getState().adminKey).toBeNull();
  fireEvent.change(within(dialog).getByTestId("admin-key"), { target: { value: " k-1\n" } });
  fireEvent.click(within(dialog).getByTestId("key-use"));
  expect(await given).toBe(true);
  expect(session.getState().adminKey).toBe("k-1");
});

it("closes the dialogs of a page that one leaves", async () => {
  const page = (name: "agents" | "list") => (
    <Shell route={{ page: name }}>
      <h1>{name}</h1>
    </Shell>
  );
  window.scrollTo = () => undefined;
  const { rerender } = render(page("agents"));
  const given = asked();
  rerender(page("list"));
  expect(screen.queryByTestId("key-dialog")).toBeNull();
  expect(await given).toBe(false);
  fireEvent.keyDown(document.body, { key: "?" });
  expect(screen.getByRole("dialog", { name: keys })).toBeDefined();
  rerender(page("agents"));
  expect(screen.queryByTestId("keys-dialog")).toBeNull();
});

it("forgets a key when asked to, with what the key has opened", () => {
  window.location.hash = "#/n/d-00000001";
  session.setState({ apiKey: "k-1", adminKey: "k-2" });
  session.getState().setStreamToken("d-00000001", "s");
  render(
    <Shell route={{ page: "negotiation", demandId: "d-00000001" }}>
      <h1>Negotiation</h1>
    </Shell>,
  );
  fireEvent.click(screen.getByTestId("keys-kept"));
  fireEvent.click(screen.getByTestId("forget-api"));
  expect(session.getState()).toMatchObject({ apiKey: null, adminKey: "k-2" });
  expect(session.getState().streamTokens["d-00000001"]).toBeUndefined();
  expect(window.location.hash).toBe("#/");
  fireEvent.click(screen.getByTestId("keys-kept"));
  fireEvent.click(screen.getByTestId("forget-admin"));
  expect(session.getState().adminKey).toBeNull();
  expect(screen.queryByTestId("keys-kept")).toBeNull();
});
