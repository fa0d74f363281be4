// Every page in both themes, phone and desktop, as pictures for a person to look at. Started by tools/screenshots.py.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [, , url, token, folder, executablePath] = process.argv;
const PAGES = { today: "/", "sign-in": "" };
const SIZES = { phone: { width: 360, height: 780 }, desktop: { width: 1440, height: 1000 } };

mkdirSync(folder, { recursive: true });
const args = process.getuid?.() === 0 ? ["--no-sandbox", "--disable-gpu"] : ["--disable-gpu"];
const browser = await chromium.launch({ executablePath, args });
for (const [size, viewport] of Object.entries(SIZES)) {
  for (const colorScheme of ["light", "dark"]) {
    for (const [name, path] of Object.entries(PAGES)) {
      const context = await browser.newContext({ viewport, colorScheme, reducedMotion: "reduce" });
      const page = await context.newPage();
      await page.goto(path ? `${url}${path}#token=${token}` : url);
      await page.waitForSelector("main h1");
      await page.waitForFunction(() => !document.querySelector('[aria-busy="true"]'));
      await page.screenshot({ path: join(folder, `${name}-${size}-${colorScheme}.png`), fullPage: true });
      await context.close();
    }
  }
}
await browser.close();
