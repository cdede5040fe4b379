/** A person at a browser: signs in, looks, and finds nothing that axe would complain about. */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(new URL("../../gateway/web/package.json", import.meta.url));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const PLACES = [process.env.CAREHUB_CHROMIUM, "/usr/bin/chromium", "/usr/bin/chromium-browser"];
const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
export const DESK = { width: 1440, height: 900 };
/** A machine that has other things to do, too, is slow and not broken. */
const PATIENCE_MS = 60_000;
export const PHONE = { width: 360, height: 740 };

export async function openBrowser() {
  const executablePath = PLACES.find((place) => place && existsSync(place));
  assert(executablePath, "No Chromium. On Debian: apt-get install chromium");
  return await chromium.launch({ executablePath, args: FLAGS });
}

/**
 * A signed-in person's page. What the page's scripts or its policy complain about is in `page.complaints`.
 * Motion is off: a test looks at what is there, not at how it came.
 */
export async function signIn(browser, hub, account, options = {}) {
  const { viewport = DESK, locale = "en-US", colorScheme = "light", path = "/" } = options;
  const context = await browser.newContext({
    viewport,
    locale,
    colorScheme,
    reducedMotion: "reduce",
    hasTouch: viewport.width < 600,
  });
  context.setDefaultTimeout(PATIENCE_MS);
  const page = await context.newPage();
  page.complaints = [];
  page.on("pageerror", (error) => page.complaints.push(error.message));
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) page.complaints.push(message.text());
  });
  await page.goto(`${hub.url}/signin?next=${encodeURIComponent(path)}`);
  await page.click(`button[name=account][value="${account}"]`);
  await page.waitForURL((url) => url.origin === hub.url);
  return page;
}

/** Whether it comes within a moment: a page shows its headline first, then the list, then the names in it. */
export function isThere(locator) {
  return locator.waitFor({ timeout: 3_000 }).then(
    () => true,
    () => false,
  );
}

/** A picture of the whole page, for whoever looks at them: CAREHUB_SHOTS names the folder. */
export async function shot(page, name) {
  const folder = process.env.CAREHUB_SHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}

/** Nothing for axe to find, nothing to scroll sideways to, no complaint of a script or a policy. */
export async function looksRight(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(async () => {
    const options = {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    };
    const { violations } = await globalThis.axe.run(document, options);
    return violations.map(
      ({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`,
    );
  });
  assert.deepEqual(found, [], `axe at ${page.url()}`);
  const { wide, screen } = await page.evaluate(() => ({
    wide: document.documentElement.scrollWidth,
    screen: document.documentElement.clientWidth,
  }));
  assert(wide <= screen, `${page.url()} is ${wide} wide on a screen of ${screen}`);
  assert.deepEqual(page.complaints, []);
}
