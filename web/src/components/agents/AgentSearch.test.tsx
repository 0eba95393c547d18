import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";
import { client } from "../../api/client";
import { Problem } from "../../api/problem";
import { setLang, texts } from "../../i18n";
import { session } from "../../state/session";
import { AgentSearch } from "./AgentSearch";

const t = texts("en").agents;
const nothing = () => undefined;

afterEach(() => {
  cleanup();
  session.setState({ adminKey: null });
});

it("tells a key that was refused from one that was never given", async () => {
  setLang("en");
  vi.spyOn(client, "agents").mockRejectedValue(new Problem({ code: "FORBIDDEN", status: 403 }));
  session.setState({ adminKey: "wr0ng" });
  const shown = render(<AgentSearch text="" onText={nothing} onOpen={nothing} onAdd={nothing} />);
  expect(await screen.findByText(t.keyRefused)).toBeTruthy();
  shown.unmount();
  session.setState({ adminKey: null, ask: async () => false });
  render(<AgentSearch text="" onText={nothing} onOpen={nothing} onAdd={nothing} />);
  expect(await screen.findByText(t.needsKey)).toBeTruthy();
});
