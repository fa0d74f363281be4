import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

// The API that `npm run dev` talks to: a running `osler serve` or `osler demo`.
const api = process.env.OSLER_URL ?? "http://127.0.0.1:8710";

export default defineConfig({
  plugins: [react()],
  build: { outDir: "../src/osler/webdist", emptyOutDir: true, manifest: true, target: "es2023" },
  server: { proxy: { "/api": api } },
  test: {
    environment: "jsdom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/shared/testSetup.ts"],
    restoreMocks: true,
  },
});
