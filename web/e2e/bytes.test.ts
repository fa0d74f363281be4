// What the first page loads, in bytes of the build: the same on every machine, so it can be a gate.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";

interface Chunk {
  file: string;
  isEntry?: boolean;
  imports?: string[];
}

const FIRST_PAGE_BYTES = 130 * 1024;
const dist = join(import.meta.dirname, "../../src/osler/webdist");

function loaded(manifest: Record<string, Chunk>, name: string, seen = new Set<string>()): Set<string> {
  const chunk = manifest[name];
  if (chunk && !seen.has(chunk.file)) {
    seen.add(chunk.file);
    for (const other of chunk.imports ?? []) loaded(manifest, other, seen);
  }
  return seen;
}

test("the first page loads at most 130 KB of compressed JavaScript", () => {
  const manifest = JSON.parse(readFileSync(join(dist, ".vite/manifest.json"), "utf8")) as Record<string, Chunk>;
  const entry = Object.keys(manifest).find((name) => manifest[name]?.isEntry);
  const files = [...loaded(manifest, entry!)].filter((file) => file.endsWith(".js"));
  expect(files.length).toBeGreaterThan(0);
  const bytes = files.reduce((sum, file) => sum + gzipSync(readFileSync(join(dist, file)), { level: 9 }).length, 0);
  expect(bytes).toBeLessThanOrEqual(FIRST_PAGE_BYTES);
});
