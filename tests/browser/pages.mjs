/** Every page, on a desk and on a phone, in both languages and both themes: nothing for axe, no sideways scrolling. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DESK, looksRight, PHONE, signIn } from "./browser.mjs";
import { sentHome, somebody } from "./hub.mjs";

const WAYS = [
  { viewport: DESK, locale: "en-US", colorScheme: "light" },
  { viewport: PHONE, locale: "es-US", colorScheme: "light" },
  { viewport: DESK, locale: "es-US", colorScheme: "dark" },
  { viewport: PHONE, locale: "en-US", colorScheme: "dark" },
];

/** Who opens what, and what must be there before it is looked at. */
const PAGES = [
  { account: "coordinator", path: "/worklist?scope=all", there: "[data-task]" },
  { account: "coordinator", path: "/patients", there: "input[type=search]" },
  { account: "coordinator", path: "/patients/…", there: "article" },
  { account: "scheduler", path: "/appointments", there: "h2" },
  { account: "coordinator", path: "/directory", there: "form" },
  { account: "coordinator", path: "/claims", there: "main li button" },
  { account: "coordinator", path: "/telephone", there: "h1" },
  { account: "coordinator", path: "/protocols", there: "h1" },
  { account: "coordinator", path: "/protocols/discharge-transition", there: "h1" },
  { account: "coordinator", path: "/measures", there: "section" },
  { account: "operator", path: "/feeds", there: "h1" },
  { account: "integration", path: "/feeds", there: "h1" },
  { account: "privacy-officer", path: "/emergencies", there: "h1" },
  { account: "admin", path: "/staff", there: "h1" },
  { account: "operator", path: "/operations", there: "h1" },
];

/** One of each role. */
const ROLES = [
  ...["facility-admin", "coordinator", "nurse", "physician", "pharmacist", "social-worker", "chw"],
  ...["scheduler", "analyst", "privacy-officer", "integration", "operator", "admin"],
];

export function pages(world) {
  describe("pages", () => {
    test("what the menu offers opens, whoever looks at it", async (t) => {
      for (const account of ROLES) await t.test(account, () => openAll(world, account));
    });
    for (const way of WAYS) {
      const { viewport, locale, colorScheme } = way;
      test(`at ${viewport.width} px, ${locale}, ${colorScheme}`, async (t) => {
        await sentHome(world.hub, somebody("Imani", "Demo"), 3);
        for (const { account, path, there } of PAGES) {
          await t.test(`${path} as ${account}`, () => look(world, way, { account, path, there }));
        }
      });
    }
  });
}

async function openAll(world, account) {
  const page = await signIn(world.browser, world.hub, account);
  const refused = [];
  page.on("response", (answer) => {
    if (answer.status() === 403) refused.push(new URL(answer.url()).pathname);
  });
  try {
    const links = page.getByRole("navigation", { name: "Main", exact: true }).getByRole("link");
    await links.first().waitFor();
    for (const link of await links.all()) {
      await link.click();
      const to = new URL(await link.getAttribute("href"), world.hub.url);
      await page.waitForURL(({ pathname }) => pathname === to.pathname);
      await page.locator("main h1").first().waitFor();
      await page.waitForFunction(() => !document.querySelector('main [aria-busy="true"]'));
      assert.deepEqual(refused, [], await link.textContent());
      const hidden = page.getByRole("heading", { name: "We can’t show this page" });
      assert.equal(await hidden.count(), 0, await link.textContent());
    }
    assert.deepEqual(page.complaints, []);
  } finally {
    await page.context().close();
  }
}

async function look(world, way, { account, path, there }) {
  const isPatient = path === "/patients/…";
  const page = await signIn(world.browser, world.hub, account, {
    ...way,
    path: isPatient ? "/worklist?scope=all" : path,
  });
  try {
    if (isPatient) {
      await page.locator("[data-task] a").first().click();
      await page.waitForURL(/\/patients\//);
    }
    await page.locator(there).first().waitFor();
    await looksRight(page);
    if (path.startsWith("/worklist") && way.viewport === PHONE) {
      await page.locator("[data-task] strong").first().click();
      await page.locator("aside").waitFor();
      await looksRight(page);
    }
  } finally {
    await page.context().close();
  }
}
