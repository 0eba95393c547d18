import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const NODE = "http://127.0.0.1:8420";

export default defineConfig({
  base: "./", // the node may be published below a path
  plugins: [react()],
  build: {
    outDir: "../src/moothall/web",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0, // the content security policy knows no data: scripts or fonts
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
  server: { proxy: { "/api": NODE, "/health": NODE } },
  test: {
    projects: [
      // A document costs a second of start-up for each file: only what renders gets one.
      { extends: true, test: { name: "logic", environment: "node", include: ["src/**/*.test.ts"] } },
      { extends: true, test: { name: "views", environment: "jsdom", include: ["src/**/*.test.tsx"] } },
    ],
    setupFiles: ["src/fixtures/setup.ts"],
    css: { include: /tokens\.css/ }, // the contrast of its colours is computed
    restoreMocks: true,
    unstubGlobals: true,
  },
});
