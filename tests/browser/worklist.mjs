/** Stories of the worklist: claim, try, reach, undo, hand back; by mouse and by key. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { signIn } from "./browser.mjs";
import { sentHome, somebody, until } from "./hub.mjs";

const CALL = "Call the patient or caregiver";
const rowOf = (page, name, what = CALL) =>
  page.locator("[role=row][data-task]", { hasText: name }).filter({ hasText: what });
const toast = (page, text) => page.locator("[aria-live=polite]", { hasText: text });

const scope = (page, name) =>
  page.getByRole("group", { name: "Whose work" }).getByRole("button", { name });

/** The first number on a button or a link: how many open tasks there are. */
async function numberOn(place) {
  const [text = ""] = await place.allInnerTexts();
  return Number(text.match(/\d+/)?.[0] ?? 0);
}

const isTask = (key) => key === "task";

/** What the hub says of a task. */
const stateOf = (page, id) =>
  page.evaluate(async (url) => (await (await fetch(url)).json()).state, `/v1/tasks/${id}`);

/** Comes home, and the nurse has the call on the worklist. */
async function atWork(world, person, days, account = "nurse", what = CALL) {
  await sentHome(world.hub, person, days);
  const page = await signIn(world.browser, world.hub, account, { path: "/worklist" });
  const row = rowOf(page, person.family, what);
  await reloadUntil(page, row);
  return { page, row };
}

async function reloadUntil(page, wanted) {
  for (let tries = 0; tries < 20; tries += 1) {
    try {
      await wanted.first().waitFor({ timeout: 2_000 });
      return;
    } catch {
      await page.reload();
    }
  }
  await wanted.first().waitFor({ timeout: 2_000 });
}

export function worklist(world) {
  describe("worklist", () => {
    test("a call is claimed, tried, and done, all by key", async () => {
      const person = somebody("Erika", "Muster");
      const { page, row } = await atWork(world, person, 1);
      await row.click();
      await page.keyboard.press("c");
      await toast(page, "Yours now").waitFor();
      await row.locator("text=You").waitFor();

      await page.keyboard.press("3");
      await toast(page, "Will be saved").waitFor();
      await page.click("text=Save now");
      await toast(page, "Saved. No answer").waitFor();
      await page.locator("aside", { hasText: "Know first" }).waitFor();
      await page.locator("aside", { hasText: "attempt 2" }).waitFor();

      await page.keyboard.press("1");
      await row.waitFor({ state: "detached" });
      await page.keyboard.press("z");
      await row.waitFor();
      await row.click();
      await page.keyboard.press("1");
      await page.click("text=Save now");
      await toast(page, "Saved. Reached").waitFor();
      await row.waitFor({ state: "detached" });
      await page.context().close();
    });

    test("nothing is said to be saved before it is; ten seconds later it is", async () => {
      const person = somebody("Karl", "Beispiel");
      const { page, row } = await atWork(world, person, 1);
      await row.click();
      await page.fill("aside textarea", "The daughter answered.");
      await page.getByRole("button", { name: "Reached" }).click();
      await toast(page, "Will be saved").waitFor();
      assert.equal(await toast(page, "Saved.").count(), 0);

      // Undone, what was written is still there.
      await page.keyboard.press("z");
      await row.click();
      const note = page.getByRole("textbox", { name: "A few words" });
      assert.equal(await note.inputValue(), "The daughter answered.");
      await page.getByRole("button", { name: "Reached" }).click();
      await toast(page, "Will be saved").waitFor();
      await toast(page, "Saved. Reached").waitFor({ timeout: 15_000 });
      await page.context().close();
    });

    test("what is done next holds up no outcome, and signing out throws none away", async () => {
      const [first, second] = [somebody("Ona", "Pavyzdys"), somebody("Jan", "Wzorcowy")];
      await sentHome(world.hub, first, 1);
      const { page, row } = await atWork(world, second, 1);
      const other = rowOf(page, first.family);
      await other.waitFor();
      const ids = [await other.getAttribute("data-task"), await row.getAttribute("data-task")];
      await other.click();
      await page.keyboard.press("1");
      await other.waitFor({ state: "detached" });
      await row.click();
      await page.keyboard.press("1");
      await row.waitFor({ state: "detached" });
      await until(async () => (await stateOf(page, ids[0])) === "STATE_COMPLETED", 15_000);
      assert.equal(await stateOf(page, ids[1]), "STATE_OPEN");

      await page.getByRole("button", { name: /Nadia Haddad/ }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).click();
      await page.waitForURL((url) => !url.pathname.startsWith("/worklist"));
      const again = await signIn(world.browser, world.hub, "nurse", { path: "/patients" });
      assert.equal(await stateOf(again, ids[1]), "STATE_COMPLETED");
      await page.context().close();
      await again.context().close();
    });

    test("who takes the first of what nobody has keeps it beside the list", async () => {
      const person = somebody("Mara", "Uzor");
      const { page } = await atWork(world, person, 1);
      await page.goto(`${world.hub.url}/worklist?scope=unclaimed`);
      const name = page.getByRole("complementary", { name: "The selected task" }).locator("h2");
      await name.waitFor();
      const whose = await name.textContent();
      await page.keyboard.press("c");
      await toast(page, "Yours now").waitFor();
      await until(async () => (await page.locator("[aria-selected=true]").count()) === 0, 15_000);
      assert.equal(await name.textContent(), whose);
      // And its keys are still its keys.
      await page.keyboard.press("n");
      await page.getByRole("dialog", { name: "Note" }).waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("dialog").waitFor({ state: "detached" });
      await page.keyboard.press("z");
      await page.context().close();
    });

    test("new work waits until it is wanted; nothing moves", async () => {
      const first = somebody("José Ángel", "Ejemplar");
      const { page } = await atWork(world, first, 1);
      const names = () => page.locator("[role=row][data-task]").allInnerTexts();
      const before = (await names()).length;
      const next = somebody("Ada", "Nouvelle");
      await sentHome(world.hub, next, 1);
      const pill = page.getByRole("button", { name: /new · show/ });
      await pill.waitFor({ timeout: 30_000 });
      assert.equal((await names()).length, before);
      await page.keyboard.press("r");
      await rowOf(page, next.family).waitFor();
      await pill.waitFor({ state: "detached" });
      await page.context().close();
    });

    test("a task is assigned with the way back, noted, and handed back with a reason", async () => {
      const person = somebody("Åse", "Tilfelle");
      const { page, row } = await atWork(world, person, 1);
      await row.click();
      await page.keyboard.press("a");
      const dialog = page.getByRole("dialog");
      await dialog.getByRole("combobox").selectOption({ label: "Tomasz Wójcik" });
      await dialog.getByRole("button", { name: "Assign task" }).click();
      await toast(page, "Assigned to Tomasz Wójcik").waitFor();
      await row.locator("text=Tomasz Wójcik").waitFor();
      await page.keyboard.press("z");
      await row.locator("text=Unclaimed").waitFor();

      await page.keyboard.press("n");
      await dialog.getByRole("textbox").fill("Call after three.");
      await dialog.getByRole("button", { name: "Save note" }).click();
      await toast(page, "Note saved").waitFor();
      await page.locator("aside", { hasText: "Call after three." }).waitFor();

      await page.keyboard.press("d");
      await dialog.getByRole("button", { name: "Hand back" }).click();
      await dialog.locator("text=Write why").waitFor();
      await dialog.getByRole("textbox").fill("On leave from tomorrow.");
      await dialog.getByRole("button", { name: "Hand back" }).click();
      await page.click("text=Save now");
      // Both nurses are away then: it goes to the lead, or there is nobody left and it says so.
      await toast(page, "Handed back").waitFor();
      await page.context().close();
    });

    test("each count is its list, on the buttons and in the menu, and follows what happens", async () => {
      const { page, row } = await atWork(world, somebody("Nils", "Eksempel"), 1);
      const rows = () => page.locator("[role=row][data-task]").count();
      const menu = page.getByRole("link", { name: /^Worklist/ });
      const team = scope(page, /^My teams/);
      await until(async () => (await numberOn(team)) === (await rows()), 30_000);
      const shown = await rows();
      assert.equal(await numberOn(menu), shown);
      const [mine, unclaimed] = [scope(page, /^Mine/), scope(page, /^Unclaimed/)];
      const before = { mine: await numberOn(mine), unclaimed: await numberOn(unclaimed) };
      await row.click();
      await page.keyboard.press("c");
      await until(async () => (await numberOn(mine)) === before.mine + 1, 30_000);
      assert.equal(await numberOn(unclaimed), before.unclaimed - 1);
      await sentHome(world.hub, somebody("Una", "Ulike"), 1);
      await until(async () => (await numberOn(team)) === shown + 1, 30_000);
      assert.equal(await numberOn(menu), shown + 1);
      assert.equal(await rows(), shown, "who is new waits");
      await page.context().close();
    });

    test("filters are in the address and hold no health data", async () => {
      const page = await signIn(world.browser, world.hub, "coordinator", { path: "/worklist" });
      await scope(page, /^All/).click();
      await page.waitForURL(/scope=all/);
      await page
        .getByRole("combobox", { name: "Facility" })
        .selectOption({ label: "Valley Family Clinic" });
      await page.waitForURL(/facility=[0-9a-f-]{36}/);
      await page.keyboard.press("Escape");
      await page.locator("h1").click();
      await page.keyboard.press("x");
      // The task that is shown beside the list is in the address, by its id.
      await page.waitForURL(({ searchParams }) => [...searchParams.keys()].every(isTask));
      assert.equal(await page.title(), "Worklist · CareHub");
      await page.context().close();
    });
  });
}
