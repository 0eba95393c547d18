import { useEffect } from "react";
import { keyReader } from "../hooks/hotkeys";
import { go, type Route } from "../hooks/useHashRoute";
import { useHotkeys } from "../hooks/useHotkeys";
import { useTexts } from "../i18n";

/** The keys that work on every page; who was asked to take part has no other pages to go to. */
export function useShellKeys(route: Route, showKeys: () => void): void {
  const { keyNames } = useTexts().shell;
  useEffect(() => {
    const read = keyReader();
    window.addEventListener("keydown", read);
    return () => window.removeEventListener("keydown", read);
  }, []);
  const pages = [
    { keys: "g n", label: keyNames.form, run: () => go({ page: "form" }) },
    { keys: "g l", label: keyNames.list, run: () => go({ page: "list" }) },
    { keys: "g a", label: keyNames.agents, run: () => go({ page: "agents" }) },
  ];
  useHotkeys([
    ...(route.page === "join" ? [] : pages),
    { keys: "/", label: keyNames.search, run: focusSearch },
    { keys: "?", label: keyNames.help, run: showKeys },
  ]);
}

function focusSearch(): void {
  const main = document.querySelector("main");
  main?.querySelector<HTMLElement>('input[type="search"], [data-search] input, [data-search]')?.focus();
}
