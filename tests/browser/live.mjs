/** Stories of screens that nobody reloads: what others do shows by itself, in each tab, and it says so when it cannot. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { signIn } from "./browser.mjs";
import { sentHome, somebody } from "./hub.mjs";

const CALL = "Call the patient or caregiver";
const WITHIN_MS = 2_000;
/** A machine that others use, too, is late now and then; what comes only when somebody asks is late each time. */
const TRIES = 5;
const rowOf = (page, { family }) =>
  page.locator("[role=row][data-task]", { hasText: family }).filter({ hasText: CALL });
const pill = (page) => page.getByRole("button", { name: /new · show/ });

/** The list is there: whoever comes now is new. */
async function settled(page) {
  await page.getByText("Live", { exact: true }).waitFor();
  await page.locator("main [role=grid], main h2").first().waitFor();
}

/** Somebody comes home while the page is open; returns after how long it showed. */
async function arrives(page, hub, person) {
  await sentHome(hub, person, 1);
  const taken = Date.now();
  await pill(page).waitFor({ timeout: 15_000 });
  const took = Date.now() - taken;
  await page.keyboard.press("r");
  await rowOf(page, person).waitFor();
  await pill(page).waitFor({ state: "detached" });
  return took;
}

/** As another program of the same person would do it: over the REST API. */
const claim = (page, taskId) =>
  page.evaluate(async (id) => {
    const headers = {
      "Content-Type": "application/json",
      "Idempotency-Key": crypto.randomUUID(),
    };
    const answer = await fetch(`/v1/tasks/${id}:claim`, { method: "POST", headers, body: "{}" });
    return answer.status;
  }, taskId);

export function live(world) {
  const open = (account, path, options = {}) =>
    signIn(world.browser, world.hub, account, { path, ...options });

  describe("live", () => {
    test("a task that a message asks for shows within two seconds", async () => {
      const page = await open("nurse", "/worklist?scope=unclaimed");
      await settled(page);
      await arrives(page, world.hub, somebody("Olga", "Antes")); // by then the stream is open
      const took = [];
      while (took.length < TRIES && !took.some((ms) => ms < WITHIN_MS)) {
        took.push(await arrives(page, world.hub, somebody("Vera", "Pronto")));
      }
      assert(
        took.some((ms) => ms < WITHIN_MS),
        `it took ${took} ms`,
      );
      await page.context().close();
    });

    test("what somebody else takes says so, greys out, and goes; elsewhere it changes in place", async () => {
      const person = somebody("Ilse", "Muestra");
      const [page, other] = [
        await open("nurse", "/worklist?scope=unclaimed"),
        await open("nurse2", "/worklist"),
      ];
      const team = await page.context().newPage();
      await team.goto(`${world.hub.url}/worklist?scope=team`);
      await Promise.all([settled(page), settled(team)]);
      await Promise.all([
        arrives(page, world.hub, person),
        pill(team).waitFor({ timeout: 15_000 }),
      ]);
      await pill(team).click();
      const row = rowOf(page, person);
      const before = await page.locator("[data-task]").first().getAttribute("data-task");
      assert.equal(await claim(other, await row.getAttribute("data-task")), 200);
      await row.locator("text=/^Taken by /").waitFor({ timeout: 5_000 });
      await rowOf(team, person).locator("text=Tomasz Wójcik").waitFor({ timeout: 5_000 });
      await row.waitFor({ state: "detached", timeout: 6_000 });
      const after = await page.locator("[data-task]").first().getAttribute("data-task");
      assert(after === before || !(await page.locator(`[data-task="${before}"]`).count()));
      await other.context().close();
      await page.context().close();
    });

    test("signing out in one tab covers the other; signing in over it goes on, live", async () => {
      const page = await open("nurse", "/worklist?scope=unclaimed");
      const second = await page.context().newPage();
      await second.goto(`${world.hub.url}/worklist`);
      await second.getByRole("button", { name: /Nadia Haddad/ }).click();
      await second.getByRole("menuitem", { name: "Sign out" }).click();
      const cover = page.getByRole("alertdialog");
      await cover.waitFor({ timeout: 15_000 });
      const opened = page.waitForEvent("popup");
      await cover.getByRole("link", { name: "Sign in" }).click();
      const popup = await opened;
      await popup.click('button[name=account][value="nurse"]');
      await cover.waitFor({ state: "detached" });
      await arrives(page, world.hub, somebody("Noor", "Voorbeeld"));
      await page.context().close();
    });

    test("without a stream it says since when, asks now and then, and is live again by itself", async () => {
      const page = await open("nurse", "/patients");
      // A stream of the tab's own: no shared worker, and a clock that the test moves.
      await page.addInitScript(() => Reflect.deleteProperty(globalThis, "SharedWorker"));
      await page.clock.install();
      await page.route("**/v1/stream", (route) => route.abort());
      await page.goto(`${world.hub.url}/worklist?scope=unclaimed`);
      await page.locator("h1").waitFor();
      await page.clock.fastForward(45_000);
      await page.getByText(/^Not live since \d\d:\d\d$/).waitFor();
      const person = somebody("Tove", "Eksempel");
      await sentHome(world.hub, person, 1);
      await page.clock.fastForward(25_000);
      await pill(page).waitFor();
      await page.unroute("**/v1/stream");
      await page.clock.fastForward(40_000);
      await page.getByText("Live", { exact: true }).waitFor();
      await page.clock.resume();
      await page.keyboard.press("r");
      await arrives(page, world.hub, somebody("Runa", "Mønster"));
      await page.context().close();
    });
  });
}
