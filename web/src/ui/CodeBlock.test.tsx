import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it } from "vitest";
import { setLang, texts } from "../i18n";
import { CodeBlock } from "./CodeBlock";

afterEach(cleanup);

it("says that a value is too deep to show, and breaks nothing", () => {
  setLang("en");
  let deep: unknown = "bottom";
  for (let level = 0; level < 20_000; level += 1) deep = [deep];
  render(<CodeBlock value={deep} label="payload" />);
  expect(screen.getByLabelText("payload").textContent).toBe(texts("en").shell.unwritable);
  expect(screen.queryByRole("button")).toBeNull();
});

it("shows hidden characters as what they are", () => {
  render(<CodeBlock value={{ name: "Ada\u202eevil\u200f" }} label="payload" />);
  expect(screen.getByLabelText("payload").textContent).toBe('{\n  "name": "Ada\\u202eevil\\u200f"\n}');
});
