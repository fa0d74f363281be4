// A real Chromium, found where people have it. Without one the tests are skipped, in words; OSLER_REQUIRE_ALL=1 fails.
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { inject } from "vitest";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "microsoft-edge"];
const MAC = [
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
const QUIET = ["--disable-gpu", "--disable-background-networking", "--disable-component-update", "--no-first-run"];

export const WHY_SKIPPED =
  "no Chromium was found, so the pages were not opened; sudo apt-get install -y chromium, or set OSLER_CHROMIUM";

export function findChromium(): string | null {
  const given = process.env.OSLER_CHROMIUM;
  if (given) return given;
  const folders = (process.env.PATH ?? "").split(delimiter);
  const found = NAMES.flatMap((name) => folders.map((folder) => join(folder, name))).find(existsSync);
  const path = found ?? MAC.find(existsSync) ?? null;
  if (!path && process.env.OSLER_REQUIRE_ALL === "1") throw new Error(WHY_SKIPPED);
  return path;
}

export async function launch(executablePath: string): Promise<Browser> {
  const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath, args: [...QUIET, ...asRoot] });
}

/** What went wrong on a page while a test looked at it. */
export interface Watched {
  page: Page;
  faults: string[];
}

/** A fresh page, signed in, with every console error, page error and failed request written down. */
export async function openAs(browser: Browser, role: string, path: string, options: BrowserContextOptions = {}): Promise<Watched> {
  const { url, tokens } = inject("osler");
  const context = await browser.newContext({ viewport: { width: 1440, height: 1000 }, reducedMotion: "reduce", ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => message.type() === "error" && faults.push(`console: ${message.text()}`));
  page.on("pageerror", (error) => faults.push(`page: ${error.message}`));
  page.on("response", (answer) => answer.status() >= 400 && faults.push(`${answer.status()} ${new URL(answer.url()).pathname}`));
  page.on("dialog", (dialog) => {
    faults.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  const token = role ? `#token=${tokens[role]}` : "";
  await page.goto(`${url}${path}${token}`);
  return { page, faults };
}

/** Until nothing loads any more: no card, and not the head of the page, whose facts come in an answer of their own. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector("main h1");
  await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'), undefined, { timeout: 30_000 });
}
