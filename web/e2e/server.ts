// The real server for all browser tests: `osler demo` on its own folder and port, on the embedded PostgreSQL.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";

const READY = /Osler is ready at (http:\/\/\S+)/;
const SIGN_IN = /^ {2}(learner|educator|program admin) +\S+#token=(\S+)$/gm;
const PATIENCE_MS = 280_000;

declare module "vitest" {
  interface ProvidedContext {
    osler: { url: string; tokens: Record<string, string>; home: string };
  }
}

export default async function setup(project: TestProject) {
  const home = mkdtempSync(join(tmpdir(), "osler-e2e-"));
  const python = process.env.OSLER_PYTHON ?? join(import.meta.dirname, "../../.venv/bin/python");
  const size = ["--learners", "12", "--days", "40", "--density", "1"];
  const child = spawn(python, ["-m", "osler", "demo", "--port", "0", "--no-browser", ...size], {
    // All tests are one learner to the server, who would look at more pages a minute than anybody reads.
    env: { ...process.env, OSLER_HOME: home, OSLER_RATE_PER_MINUTE: "100000" },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const said = await untilReady(child);
  const tokens = Object.fromEntries([...said.matchAll(SIGN_IN)].map((m) => [m[1]!.replace(" ", "_"), m[2]!]));
  project.provide("osler", { url: READY.exec(said)![1]!, tokens, home });
  return async () => {
    child.kill("SIGTERM");
    await new Promise((resolve) => child.once("exit", resolve));
    rmSync(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 500 });
  };
}

function untilReady(child: ChildProcess): Promise<string> {
  let said = "";
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`osler demo was not ready in time; it said:\n${said}`)), PATIENCE_MS);
    child.stdout!.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      if (READY.test(said)) {
        clearTimeout(timer);
        resolve(said);
      }
    });
    child.once("exit", (code) => reject(new Error(`osler demo ended with ${code}; it said:\n${said}`)));
  });
}
