import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as machine from "./connection";
import { CONNECTING, type Link } from "./connection";

const NOW = 1_000_000;
const DELAYS = [3000, 4500, 6750, 10_125, 15_187.5];

function failing(times: number, link: Link = CONNECTING): Link {
  let now = NOW;
  let so = link;
  for (let count = 0; count < times; count += 1) {
    so = machine.broken(so, now);
    now = so.retryAt ?? now;
    so = machine.retrying(so);
  }
  return so;
}

it("waits 3, 4.5, 6.75, 10.125 and 15.1875 seconds, and then no more", () => {
  expect([1, 2, 3, 4, 5].map(machine.delayBefore)).toEqual(DELAYS);
  let link: Link = CONNECTING;
  for (const [index, delay] of DELAYS.entries()) {
    link = machine.broken(link, NOW);
    expect(link).toMatchObject({
      kind: "reconnecting",
      attempt: index + 1,
      retryAt: NOW + delay,
      staleSince: NOW,
    });
    link = machine.retrying(link);
    expect(link.retryAt).toBeNull();
  }
  expect(machine.broken(link, NOW)).toMatchObject({ kind: "lost", retryAt: null, staleSince: NOW });
});

describe("the attempts", () => {
  it("begin anew after an event", () => {
    const back = machine.arrived(machine.opened(failing(4), NOW), NOW);
    expect(back).toMatchObject({ kind: "live", attempt: 0, retryAt: null, staleSince: null });
    expect(machine.broken(back, NOW).attempt).toBe(1);
  });

  it("go on when a stream opens and breaks with nothing said", () => {
    const opened = machine.opened(failing(4), NOW);
    expect(opened).toMatchObject({ kind: "live", attempt: 4, staleSince: null });
    expect(machine.broken(opened, NOW + machine.SOUND_AFTER - 1).attempt).toBe(5);
  });

  it("begin anew after a stream that held", () => {
    const opened = machine.opened(failing(5), NOW);
    expect(machine.broken(opened, NOW + machine.SOUND_AFTER).attempt).toBe(1);
  });
});

const KINDS = ["connecting", "live", "reconnecting", "lost", "ended"] as const;
const at = (kind: Link["kind"]): Link => ({ ...CONNECTING, kind });

describe.each(KINDS)("from %s", (kind) => {
  const over = kind === "lost" || kind === "ended";

  it("opens unless it is over", () => {
    expect(machine.opened(at(kind), NOW).kind).toBe(over ? kind : "live");
  });
  it("takes an event unless it is over", () => {
    expect(machine.arrived(at(kind), NOW).kind).toBe(over ? kind : "live");
  });
  it("breaks unless it is over", () => {
    expect(machine.broken(at(kind), NOW).kind).toBe(over ? kind : "reconnecting");
  });
  it("is given up unless all has come", () => {
    expect(machine.abandoned(at(kind), NOW).kind).toBe(kind === "ended" ? "ended" : "lost");
  });
  it("ends", () => {
    expect(machine.finished(at(kind))).toMatchObject({ kind: "ended", attempt: 0, staleSince: null });
  });
  it("tries again only when it waits", () => {
    expect(machine.retrying(at(kind)).kind).toBe(kind);
  });
});

it("does not change with every event while all is well", () => {
  const live = machine.arrived(machine.opened(CONNECTING, NOW), NOW);
  expect(machine.arrived(live, NOW + 5)).toBe(live);
});

it("never waits without a moment to wait for, and never beyond five attempts", () => {
  const { opened, arrived, broken, retrying, abandoned, finished } = machine;
  const step = fc.constantFrom(opened, arrived, broken, retrying, abandoned, finished);
  fc.assert(
    fc.property(fc.array(fc.tuple(step, fc.nat(60_000)), { maxLength: 60 }), (steps) => {
      let link: Link = CONNECTING;
      let now = NOW;
      for (const [happens, later] of steps) {
        now += later;
        const before = link.kind;
        link = happens(link, now);
        expect(link.attempt).toBeLessThanOrEqual(machine.SSE_CONFIG.MAX_RECONNECT_ATTEMPTS);
        if (link.retryAt !== null) expect(link.kind).toBe("reconnecting");
        if (before === "ended") expect(link.kind).toBe("ended");
        if (link.kind === "live" || link.kind === "ended") expect(link.staleSince).toBeNull();
      }
    }),
  );
});
