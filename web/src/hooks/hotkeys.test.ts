// @vitest-environment jsdom

import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { bind, keyReader, switchKeys } from "./hotkeys";

const form = vi.fn();
const search = vi.fn();
let unbind: () => void;
let read: (event: KeyboardEvent) => void;

beforeEach(() => {
  unbind = bind([
    { keys: "g n", label: "form", run: form },
    { keys: "/", label: "search", run: search },
  ]);
  read = keyReader();
  window.addEventListener("keydown", read);
});

afterEach(() => {
  window.removeEventListener("keydown", read);
  unbind();
  switchKeys(true);
  document.body.replaceChildren();
  vi.clearAllMocks();
});

function press(key: string, on: EventTarget = document.body, more: KeyboardEventInit = {}) {
  on.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more }));
}

it("runs what two keys after one another are bound to", () => {
  press("g");
  press("n");
  expect(form).toHaveBeenCalledOnce();
  press("n");
  expect(form).toHaveBeenCalledOnce();
});

it("runs single keys", () => {
  press("/");
  expect(search).toHaveBeenCalledOnce();
});

it.each(["input", "textarea", "select"])("stays out of a %s", (name) => {
  const field = document.body.appendChild(document.createElement(name));
  press("/", field);
  expect(search).not.toHaveBeenCalled();
});

it("leaves the browser its own keys, and dialogs theirs", () => {
  press("/", document.body, { ctrlKey: true });
  document.body.appendChild(document.createElement("dialog")).setAttribute("open", "");
  press("/");
  expect(search).not.toHaveBeenCalled();
});

it("can be switched off, and forgets what is unbound", () => {
  switchKeys(false);
  press("/");
  switchKeys(true);
  unbind();
  press("/");
  expect(search).not.toHaveBeenCalled();
});

it("lets the page's own key go before the shell's", () => {
  const own = vi.fn();
  const free = bind([{ keys: "/", label: "own", run: own }]);
  press("/");
  expect(own).toHaveBeenCalledOnce();
  expect(search).not.toHaveBeenCalled();
  free();
});
