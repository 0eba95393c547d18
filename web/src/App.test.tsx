import { act, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { App } from "./App";
import { lazyPage } from "./hooks/lazyPage";
import { setLang } from "./i18n";
import { ErrorBoundary } from "./layout/ErrorBoundary";
import { keepDocument } from "./layout/preferences";
import { session } from "./state/session";
import { announce } from "./ui";

beforeEach(() => {
  setLang("en");
  window.location.hash = "#/";
  window.scrollTo = () => undefined;
  vi.stubGlobal("fetch", async () => new Response("{}", { status: 500 }));
});

async function goTo(hash: string) {
  await act(async () => {
    window.location.hash = hash;
    window.dispatchEvent(new Event("hashchange"));
  });
}

it("has its landmarks, one main heading, and the page in the window's name", () => {
  render(<App />);
  expect(screen.getByRole("navigation", { name: "Main" }).closest("header")).not.toBeNull();
  expect(within(screen.getByRole("main")).getAllByRole("heading", { level: 1 })).toHaveLength(1);
  expect(screen.getByTestId("nav-form").getAttribute("aria-current")).toBe("page");
  expect(document.title).toBe("New demand · Moothall");
});

it("gives the focus to the heading of the page that one goes to", async () => {
  render(<App />);
  expect(document.activeElement).toBe(document.body);
  await goTo("#/nowhere");
  expect(document.activeElement).toBe(screen.getByRole("heading", { level: 1, name: "No such page" }));
});

it("skips to the content", () => {
  render(<App />);
  fireEvent.click(screen.getByRole("button", { name: "Skip to content" }));
  expect(document.activeElement).toBe(screen.getByRole("main"));
});

it("puts language, colours and size on the document", () => {
  keepDocument();
  render(<App />);
  const root = document.documentElement;
  fireEvent.click(screen.getByTestId("lang-switch"));
  expect(root.lang).toBe("zh");
  expect(screen.getByTestId("nav-form").textContent).toBe("新需求");
  fireEvent.click(screen.getByTestId("theme-switch"));
  expect(root.dataset.theme).toBe("light");
  fireEvent.click(screen.getByTestId("theme-switch"));
  expect(root.dataset.theme).toBe("dark");
  fireEvent.click(screen.getByTestId("theme-switch"));
  expect(root.dataset.theme).toBeUndefined();
  fireEvent.click(screen.getByTestId("big-screen"));
  expect(root.dataset.big).toBe("true");
  expect(screen.getByTestId("big-screen").getAttribute("aria-pressed")).toBe("true");
  fireEvent.click(screen.getByTestId("big-screen"));
  expect(root.dataset.big).toBeUndefined();
});

it("asks for a key when one is needed, keeps it in memory, and shows that one was refused", async () => {
  render(<App />);
  let given: Promise<boolean> = Promise.resolve(false);
  act(() => {
    given = session.getState().ask("api");
  });
  const dialog = screen.getByRole("dialog", { name: "An API key is needed" });
  fireEvent.click(within(dialog).getByTestId("key-use"));
  expect(within(dialog).getByRole("alert").textContent).toBe("Enter a key");
  fireEvent.change(within(dialog).getByTestId("api-key"), { target: { value: "k-1" } });
  fireEvent.click(within(dialog).getByTestId("key-use"));
  expect(await given).toBe(true);
  expect(session.getState().apiKey).toBe("k-1");
  expect(JSON.stringify({ ...localStorage })).not.toContain("k-1");
  act(() => {
    given = session.getState().ask("api");
  });
  expect(screen.getByText("The node did not take this key; check it and enter it again")).toBeTruthy();
  fireEvent.click(screen.getByRole("button", { name: "Cancel" }));
  expect(await given).toBe(false);
});

it("shows the keys on ?, and goes where they say", async () => {
  render(<App />);
  fireEvent.keyDown(document.body, { key: "?" });
  const dialog = screen.getByRole("dialog", { name: "Keys" });
  expect(dialog.textContent).toContain("g then nNew demand");
  fireEvent.click(within(dialog).getByRole("button", { name: "Close" }));
  fireEvent.keyDown(document.body, { key: "g" });
  fireEvent.keyDown(document.body, { key: "l" });
  await waitFor(() => expect(window.location.hash).toBe("#/list"));
});

it("says aloud what is announced, also when it is the same again", () => {
  render(<App />);
  const heard = screen.getByTestId("announcer");
  act(() => announce("done"));
  const first = heard.textContent;
  act(() => announce("done"));
  expect(heard.textContent).not.toBe(first);
  expect(heard.textContent?.trim()).toBe("done");
});

it("says nothing any more of a page that one has left", async () => {
  await goTo("#/nowhere");
  render(<App />);
  act(() => announce("done"));
  await goTo("#/replay");
  expect(screen.getByTestId("announcer").textContent?.trim()).toBe("");
});

it("shows whoever was asked to take part none of the requester's pages", async () => {
  await goTo("#/join/collab-0000feed/crafted%0d%0aX:y");
  session.setState({ apiKey: "k-1" });
  render(<App />);
  expect(await screen.findByTestId("join-invalid")).toBeTruthy();
  expect(screen.queryByRole("navigation")).toBeNull();
  expect(screen.queryByTestId("keys-kept")).toBeNull();
  expect(screen.queryByTestId("big-screen")).toBeNull();
  expect(screen.getByTestId("lang-switch")).toBeTruthy();
  expect(screen.getByTestId("theme-switch")).toBeTruthy();
  expect(screen.queryAllByRole("link")).toHaveLength(0);
  fireEvent.keyDown(document.body, { key: "g" });
  fireEvent.keyDown(document.body, { key: "l" });
  expect(window.location.hash).toContain("#/join/");
  session.setState({ apiKey: null });
});

let broken = true;

function Fragile() {
  if (broken) throw new Error("it broke");
  return <h1>whole</h1>;
}

it("tells a fault in words, and offers to go on", () => {
  vi.spyOn(console, "error").mockReturnValue(undefined);
  broken = true;
  render(
    <ErrorBoundary>
      <Fragile />
    </ErrorBoundary>,
  );
  expect(screen.getByRole("alert").textContent).toContain("it broke");
  broken = false;
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(screen.getByRole("heading", { name: "whole" })).toBeTruthy();
});

it("fetches the whole page anew where a part of it is gone from the node", async () => {
  vi.spyOn(console, "error").mockReturnValue(undefined);
  const Gone = lazyPage(() => Promise.reject(new TypeError("failed to fetch a module")));
  const reload = vi.fn();
  await act(async () => {
    render(
      <ErrorBoundary reload={reload}>
        <Gone />
      </ErrorBoundary>,
    );
  });
  expect(screen.getByRole("alert").textContent).toContain("failed to fetch a module");
  fireEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(reload).toHaveBeenCalledTimes(1);
});
