import { fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, expect, it, vi } from "vitest";
import { client } from "../../api/client";
import { Problem } from "../../api/problem";
import type { AgentView } from "../../api/types";
import { setLang } from "../../i18n";
import { AgentForm } from "./AgentForm";

const PRICE = "capabilities.offers[0].price: must not be negative";
const CONDITION = "capabilities.offers[0].conditions[0].text: at most 200 characters";

function agent(): AgentView {
  return {
    agent_id: "user_agent_hall",
    user_name: "Hall",
    profile_summary: "A hall by the well with chairs for many. ".repeat(6),
    location: "北京",
    tags: ["venue"],
    capabilities: {
      offers: [{ tag: "venue", title: "a hall", price: 100, currency: "CNY", conditions: [] }],
    },
    revision: 3,
  } as unknown as AgentView;
}

const show = () =>
  render(<AgentForm agent={agent()} onSaved={vi.fn()} onCancel={vi.fn()} onReload={vi.fn()} />);

beforeEach(() => setLang("en"));

it("says why the node refused, at the field where there is one and in words where there is none", async () => {
  vi.spyOn(client, "editAgent").mockRejectedValue(
    new Problem({ code: "INVALID_INPUT", status: 400, message: "not valid", why: `${PRICE}; ${CONDITION}` }),
  );
  show();
  fireEvent.click(screen.getByTestId("agent-save"));
  const refused = await screen.findByTestId("agent-refused");
  expect(refused.textContent).toContain(CONDITION);
  expect(refused.textContent).not.toContain(PRICE);
  const price = screen.getByTestId("offer-0-price");
  const described = price.getAttribute("aria-describedby")?.split(" ") ?? [];
  expect(described.map((id) => document.getElementById(id)?.textContent).join()).toContain(PRICE);
});

it("keeps the focus in the form when a capability is taken away", () => {
  show();
  fireEvent.click(screen.getByRole("button", { name: "Remove capability 1" }));
  expect(document.activeElement).toBe(screen.getByTestId("offer-add"));
});
