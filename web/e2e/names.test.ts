// H12: a curriculum whose names are markup, formulas, other scripts and endless words. They are shown as text; nothing runs.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { findChromium, launch, openAs, settled, WHY_SKIPPED } from "./browser";

const chromium = findChromium();
const ROOT = join(import.meta.dirname, "../..");
const SHIPPED = join(ROOT, "src/osler/catalog/curricula/usmle.toml");
const ENDLESS = "Pneumonoultramicroscopicsilicovolcanoconiosis".repeat(4);
const NAMES = [
  "<script>alert(1)</script><img src=x onerror=alert(2)>",
  '"><svg/onload=alert(3)>',
  "'; DROP TABLE topics;--",
  '=HYPERLINK("http://evil.example","x")',
  "+1+1",
  "-2+3",
  "@SUM(A1:A9)",
  "أمراض القلب והריאות",
  "Car\u200bdio\u200dlogy\ufeff",
  "👩🏽‍⚕️🫀 Heart",
  `${"C\u0301".repeat(30)}ardio${"\u0336".repeat(40)}`,
  "Саrdiоlоgy",
  ENDLESS,
  "A very long name that goes on and on ".repeat(5).trim(),
  "**bold** [x](javascript:alert(4))",
  '{{constructor.constructor("alert(5)")()}} ${alert(6)} %s %n',
  "&lt;b&gt;&amp;",
  "null",
];
const EXAM = `${NAMES[0]} ${ENDLESS.slice(0, 120)}`;
const FORMULA = /^[=+\-@\t\r]/;

/** The shipped curriculum under other names: the ids, and so everybody's answers, stay as they are. */
function hostile(text: string): string {
  let section = "";
  let at = 0;
  return text
    .split("\n")
    .map((line) => {
      section = /^\[+([^\]]+)\]+/.exec(line)?.[1] ?? section;
      const topic = section.startsWith("axes") ? /^("?[\w.-]+"?) = ".*"$/.exec(line) : null;
      if (topic) return `${topic[1]} = ${JSON.stringify(NAMES[at++ % NAMES.length])}`;
      return section === "exam" && line.startsWith("name =") ? `name = ${JSON.stringify(EXAM)}` : line;
    })
    .join("\n");
}

function load(curriculum: string): void {
  const python = process.env.OSLER_PYTHON ?? join(ROOT, ".venv/bin/python");
  const env = { ...process.env, OSLER_HOME: inject("osler").home };
  execFileSync(python, ["-m", "osler", "curriculum", "load", curriculum], { env, stdio: ["ignore", "ignore", "inherit"] });
}

async function width(page: Page): Promise<number[]> {
  return page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
}

describe.skipIf(!chromium)(chromium ? "names of a curriculum" : `names of a curriculum (${WHY_SKIPPED})`, () => {
  let browser: Browser;
  let folder: string;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), "osler-names-"));
    const file = join(folder, "hostile.toml");
    writeFileSync(file, hostile(readFileSync(SHIPPED, "utf8")));
    load(file);
    browser = await launch(chromium!);
  });
  afterAll(async () => {
    await browser?.close();
    load("usmle");
    rmSync(folder, { recursive: true, force: true });
  });

  test.each([
    ["learner", 360],
    ["learner", 1440],
    ["educator", 360],
  ])("to a %s at %i px they are text: no dialog, no element of theirs, nothing to scroll sideways", async (role, px) => {
    const { page, faults } = await openAs(browser, role, "/", { viewport: { width: px, height: 800 } });
    await settled(page);
    for (const summary of await page.locator("main details > summary").all()) await summary.click();
    const [inner, outer] = await width(page);
    expect(inner).toBeLessThanOrEqual(outer!);
    const shown = await page.locator("body").innerText();
    expect(NAMES.filter((name) => shown.includes(name.slice(0, 20))).length).toBeGreaterThan(role === "learner" ? 12 : 2);
    expect(await page.locator("main svg[onload], main img, main script, main b").count()).toBe(0);
    expect(await page.locator("main a[href^='javascript']").count()).toBe(0);
    if (process.env.OSLER_SHOTS) {
      await page.screenshot({ path: join(process.env.OSLER_SHOTS, `names-${role}-${px}.png`), fullPage: true });
    }
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("in a file for a spreadsheet none of them is a formula", async () => {
    const { page } = await openAs(browser, "learner", "/", { viewport: { width: 1440, height: 800 } });
    await settled(page);
    const mastery = page.getByRole("region", { name: "Mastery", exact: true });
    await mastery.getByText("as table").click();
    const coming = page.waitForEvent("download");
    await mastery.getByRole("button", { name: "Download CSV" }).click();
    const text = readFileSync(await (await coming).path(), "utf8");
    expect(text).toMatch(/^Group,/);
    const cells = text.split("\r\n").map((line) => line.replace(/^"/, ""));
    expect(cells.filter((cell) => cell.startsWith("'") && FORMULA.test(cell.slice(1))), text).not.toEqual([]);
    expect(cells.filter((cell) => FORMULA.test(cell))).toEqual([]);
    await page.context().close();
  });
});
