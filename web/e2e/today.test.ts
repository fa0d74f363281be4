// The first page, on the real server, in a real browser: what a learner sees, in both themes, on phone and desktop.
import axe from "axe-core";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { findChromium, launch, openAs, settled, WHY_SKIPPED } from "./browser";

const chromium = findChromium();
const CARDS = ["Today", "Exam readiness", "Knowledge gaps", "Due reviews", "Mastery", "Study efficiency", "Learning patterns", "Your cohort"];
const SIZES = [
  { width: 1440, height: 1000 },
  { width: 360, height: 780 },
];
const SMALLEST_TARGET_PX = 24;
const NARROWEST_BAR_PX = 100;

/** The contrast of two colours as the browser writes them; the formula of WCAG 2.2. */
function contrast(one: string, other: string): number {
  const [high, low] = [one, other].map(luminance).toSorted((a, b) => b - a);
  return (high! + 0.05) / (low! + 0.05);
}

function luminance(colour: string): number {
  const [r, g, b] = colour.match(/\d+/g)!.map((part) => Number(part) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

describe.skipIf(!chromium)(chromium ? "the first page" : `the first page (${WHY_SKIPPED})`, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch(chromium!);
  });
  afterAll(async () => {
    await browser?.close();
  });

  test.each(SIZES.flatMap((viewport) => (["light", "dark"] as const).map((colorScheme) => ({ viewport, colorScheme }))))(
    "$viewport.width px, $colorScheme: all cards, no fault, nothing to scroll sideways, axe clean",
    async (options) => {
      const { page, faults } = await openAs(browser, "learner", "/", options);
      await settled(page);
      for (const name of CARDS) expect(await page.getByRole("region", { name, exact: true }).count(), name).toBe(1);
      const widths = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
      expect(widths[0]).toBeLessThanOrEqual(widths[1]!);
      await page.evaluate(axe.source);
      const found = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
      expect(found.violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target).join(" ")}`)).toEqual([]);
      expect(faults).toEqual([]);
      await page.context().close();
    },
  );

  test("what is pressed can be hit: every target is at least 24 px, on a phone too", async () => {
    const { page } = await openAs(browser, "learner", "/", { viewport: SIZES[1]! });
    await settled(page);
    const small = await page.evaluate((least) => {
      const targets = [...document.querySelectorAll<HTMLElement>("a, button, summary, [tabindex='0']")];
      return targets
        .filter((t) => t.checkVisibility() && !t.classList.contains("skip"))
        .map((t) => ({ text: t.textContent?.slice(0, 30), box: t.getBoundingClientRect() }))
        .filter(({ box }) => box.width < least || box.height < least)
        .map(({ text, box }) => `${text} ${Math.round(box.width)}×${Math.round(box.height)}`);
    }, SMALLEST_TARGET_PX);
    expect(small).toEqual([]);
    await page.context().close();
  });

  test("by keyboard alone: the decision is reached, taken, and said to be saved", async () => {
    const { page, faults } = await openAs(browser, "learner", "/");
    await settled(page);
    const take = page.getByRole("button", { name: "I'll do this now" });
    for (let presses = 0; presses < 12 && !(await take.evaluate((b) => b === document.activeElement)); presses++) {
      await page.keyboard.press("Tab");
    }
    expect(await take.evaluate((b) => b === document.activeElement)).toBe(true);
    await page.keyboard.press("Enter");
    await page.getByText("Saved. Your answers will show here").waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("the exam's day is moved from the head of the page, by keyboard, and the page follows", async () => {
    const { page, faults } = await openAs(browser, "learner", "/", { viewport: SIZES[1]! });
    await settled(page);
    await page.getByRole("button", { name: "Change exam" }).focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog", { name: "Your exam" });
    const day = dialog.getByLabel("Day", { exact: true });
    const least = new Date(`${await day.getAttribute("min")}T12:00:00Z`);
    await day.fill(new Date(least.getTime() + 40 * 86_400_000).toISOString().slice(0, 10));
    await page.evaluate(axe.source);
    const found = await page.evaluate(() => (window as unknown as { axe: typeof axe }).axe.run());
    expect(found.violations.map((v) => v.id)).toEqual([]);
    await page.keyboard.press("Enter");
    await dialog.waitFor({ state: "detached" });
    await page.getByText("in 40 days").waitFor();
    await page.getByRole("status").filter({ hasText: "Your exam is saved" }).waitFor();
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Change exam");
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("a chart is one stop of the Tab key; arrows walk its marks, which say value and unit", async () => {
    const { page } = await openAs(browser, "learner", "/");
    await settled(page);
    const marks = page.locator(".bars a");
    expect(await marks.evaluateAll((all) => all.filter((m) => m.tabIndex === 0).length)).toBe(1);
    await marks.first().focus();
    await page.keyboard.press("ArrowDown");
    expect(await marks.nth(1).evaluate((m) => m === document.activeElement)).toBe(true);
    await page.keyboard.press("End");
    expect(await marks.last().evaluate((m) => m === document.activeElement)).toBe(true);
    await page.keyboard.press("Escape");
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Mastery");
    expect(await marks.last().getAttribute("aria-label")).toMatch(/: (\d+ %, likely \d+ to \d+|not known yet)/);
    await page.context().close();
  });

  test("read from top to bottom: one title, every list has items, every table heads its columns, every control a name", async () => {
    const { page } = await openAs(browser, "learner", "/");
    await settled(page);
    const levels = await page.evaluate(() => [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].map((h) => Number(h.tagName[1])));
    expect(levels.filter((level) => level === 1)).toHaveLength(1);
    expect(levels.every((level, at) => at === 0 || level <= levels[at - 1]! + 1)).toBe(true);
    const odd = await page.evaluate(() => [
      ...[...document.querySelectorAll("ul, ol")].filter((list) => list.children.length === 0),
      ...[...document.querySelectorAll("table")].filter((table) => !table.caption || !table.querySelector("th[scope]")),
    ].map((element) => element.outerHTML.slice(0, 80)));
    expect(odd).toEqual([]);
    const tree = await page.locator("body").ariaSnapshot();
    expect(tree.match(/^ *- '?(button|link|img|meter|region|figure|textbox|combobox)'?:?$/gm) ?? []).toEqual([]);
    await page.context().close();
  });

  test.each(["light", "dark"] as const)("forced colours, %s: range, best guess and what is mastered are told apart; nothing moves", async (colorScheme) => {
    const { page } = await openAs(browser, "learner", "/", { forcedColors: "active", colorScheme });
    await settled(page);
    const found = await page.evaluate(() => {
      const look = (name: string) => getComputedStyle(document.querySelector(`.${name}`)!);
      const track = look("bar-track");
      return {
        ground: track.backgroundColor,
        edge: track.borderTopColor,
        range: look("bar-range").backgroundColor,
        value: look("bar-value").backgroundColor,
        target: look("bar-target").backgroundImage,
        running: document.getAnimations().filter((one) => one.playState === "running").length,
      };
    });
    const ink = colorScheme === "light" ? "rgb(0, 0, 0)" : "rgb(255, 255, 255)";
    expect(found).toMatchObject({ edge: ink, target: expect.stringMatching(/^repeating-linear-gradient\(/), running: 0 });
    expect(found.target).toContain(ink);
    expect(contrast(found.value, found.range)).toBeGreaterThanOrEqual(3);
    expect(contrast(found.ground, found.range)).toBeGreaterThanOrEqual(3);
    await page.context().close();
  });

  test("the table under a chart has a row for each mark", async () => {
    const { page } = await openAs(browser, "learner", "/");
    await settled(page);
    const card = page.getByRole("region", { name: "Mastery", exact: true });
    await card.getByText("as table").click();
    expect(await card.locator("tbody tr").count()).toBe(await card.locator(".bars a").count());
    await page.context().close();
  });

  test.each(SIZES.flatMap((viewport) => (["educator", "program_admin"] as const).map((role) => ({ viewport, role }))))(
    "$role, $viewport.width px: the class, what may be asked, and who needs a look only when it is opened",
    async ({ viewport, role }) => {
      const { page, faults } = await openAs(browser, role, "/", { viewport });
      await settled(page);
      await page.getByRole("heading", { name: "How the class stands" }).waitFor();
      await page.getByRole("heading", { name: `You are signed in as ${role.replace("_", " ")}` }).waitFor();
      expect(await page.getByRole("region", { name: "Due reviews" }).count()).toBe(0);
      const hard = page.getByRole("list", { name: "Topics that many find hard" });
      const isTooFew = (await page.getByText("Too few learners").count()) > 0;
      expect((await hard.locator("li").count()) > 0 || isTooFew).toBe(true);
      const asked: string[] = [];
      page.on("request", (request) => asked.push(new URL(request.url()).pathname));
      await page.getByRole("button", { name: "Open the list" }).click();
      await page.getByText(/of \d+ need a look/).waitFor();
      expect(await page.evaluate(() => document.activeElement?.textContent)).toBe("Who needs a look");
      expect(asked.filter((path) => path.endsWith("/cohort/learners"))).toHaveLength(1);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)).toBeLessThanOrEqual(0);
      await page.evaluate(axe.source);
      const found = await page.evaluate(() => (window as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } }).axe.run());
      expect(found.violations.map((v) => v.id)).toEqual([]);
      expect(faults).toEqual([]);
      await page.context().close();
    },
  );

  test("the server stops: cards go stale, keep their numbers, and say so; nobody is signed out", async () => {
    const { page } = await openAs(browser, "learner", "/");
    await settled(page);
    const before = await page.getByRole("region", { name: "Mastery", exact: true }).locator(".bar-number").allTextContents();
    await page.context().setOffline(true);
    await page.evaluate(() => window.dispatchEvent(new Event("visibilitychange")));
    await page.getByText("It could not be refreshed").first().waitFor({ timeout: 50_000 });
    await page.getByRole("status").filter({ hasText: "Some figures could not be refreshed." }).waitFor();
    const after = await page.getByRole("region", { name: "Mastery", exact: true }).locator(".bar-number").allTextContents();
    expect(after).toEqual(before);
    await page.context().setOffline(false);
    await page.getByRole("button", { name: "Try again" }).first().click();
    await page.context().close();
  }, 90_000);

  test("a link to sign in, pasted into a tab that is open, signs in whom it names and leaves the address", async () => {
    const { page, faults } = await openAs(browser, "learner", "/");
    await settled(page);
    await page.evaluate((token) => window.location.assign(`/#token=${token}`), inject("osler").tokens["educator"]);
    await page.getByRole("heading", { name: "How the class stands" }).waitFor();
    expect(page.url()).not.toContain("token");
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test.each([360, 720, 1100])("at %i px a bar is wide enough to be read", async (width) => {
    const { page } = await openAs(browser, "learner", "/", { viewport: { width, height: 800 } });
    await settled(page);
    const tracks = await page.locator(".bar-track").evaluateAll((all) => all.map((track) => track.getBoundingClientRect().width));
    expect(Math.min(...tracks)).toBeGreaterThan(NARROWEST_BAR_PX);
    await page.context().close();
  });

  test("without a token the page tells how to get one; with one, the token leaves the address", async () => {
    const { page, faults } = await openAs(browser, "", "/");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("Token").fill("nonsense");
    await page.getByRole("button", { name: "Sign in" }).click();
    expect(await page.getByRole("alert").textContent()).toContain("not a token");
    await page.getByLabel("Token").fill(inject("osler").tokens["learner"]!);
    await page.getByRole("button", { name: "Sign in" }).click();
    await settled(page);
    expect(page.url()).not.toContain("token");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("the theme can be switched and is kept", async () => {
    const { page } = await openAs(browser, "learner", "/", { colorScheme: "light" });
    await settled(page);
    const background = () => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);
    const light = await background();
    await page.getByRole("button", { name: "Theme: system" }).click();
    await page.getByRole("button", { name: "Theme: light" }).click();
    const dark = await background();
    expect(dark).not.toBe(light);
    await page.reload();
    await settled(page);
    expect(await background()).toBe(dark);
    await page.context().close();
  });

  test("sample data are said to be a sample", async () => {
    const { page } = await openAs(browser, "learner", "/");
    await settled(page);
    // Who is signed in may be answered after every card; the page is not settled before it.
    await page.route("**/api/me", async (route) => {
      await new Promise((resume) => setTimeout(resume, 1_000));
      await route.continue();
    });
    await page.reload();
    await settled(page);
    expect(await page.getByText("Sample data").count()).toBe(1);
    await page.context().close();
  });
});
