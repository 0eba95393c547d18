import { act, renderHook } from "@testing-library/react";
import { expect, it } from "vitest";
import { Problem } from "../api/problem";
import { useResource } from "./useResource";

function asker() {
  const asked: {
    id: string;
    signal: AbortSignal;
    resolve: (value: string) => void;
    reject: (why: unknown) => void;
  }[] = [];
  const load = (id: string) => (signal: AbortSignal) =>
    new Promise<string>((resolve, reject) => asked.push({ id, signal, resolve, reject }));
  return { asked, load };
}

it("loads, reloads with the old data shown, and begins anew for something else", async () => {
  const { asked, load } = asker();
  const shown = renderHook(({ id }) => useResource(load(id), [id]), { initialProps: { id: "a" } });
  expect(shown.result.current).toMatchObject({ data: null, problem: null, loading: true });
  await act(async () => asked[0]?.resolve("first"));
  expect(shown.result.current).toMatchObject({ data: "first", loading: false });
  act(() => shown.result.current.reload());
  expect(shown.result.current).toMatchObject({ data: "first", loading: true });
  await act(async () => asked[1]?.reject(new Problem({ code: "E002" })));
  expect(shown.result.current).toMatchObject({ data: "first", problem: { code: "E002" }, loading: false });
  shown.rerender({ id: "b" });
  expect(shown.result.current).toMatchObject({ data: null, problem: null, loading: true });
  await act(async () => asked[2]?.resolve("second"));
  expect(shown.result.current).toMatchObject({ data: "second", loading: false });
});

it("drops an answer that came too late", async () => {
  const { asked, load } = asker();
  const shown = renderHook(({ id }) => useResource(load(id), [id]), { initialProps: { id: "a" } });
  shown.rerender({ id: "b" });
  expect(asked[0]?.signal.aborted).toBe(true);
  await act(async () => asked[0]?.resolve("old"));
  expect(shown.result.current.data).toBeNull();
  shown.unmount();
  await act(async () => asked[1]?.reject(new Error("gone")));
});
