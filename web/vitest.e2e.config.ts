import { defineConfig } from "vitest/config";

// Real Chromium against the real server on real PostgreSQL; one server for all files, started by globalSetup.
export default defineConfig({
  test: {
    environment: "node",
    include: ["e2e/**/*.test.ts"],
    globalSetup: ["e2e/server.ts"],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
});
