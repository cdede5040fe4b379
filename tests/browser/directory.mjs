/** Stories of the directory: who helps, whether they have room, and from there a request for a patient. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DESK, isThere, looksRight, PHONE, shot, signIn } from "./browser.mjs";
import { call, idOf, sentHome, somebody, until } from "./hub.mjs";

export function directory(world) {
  const button = (page, name) => page.getByRole("button", { name, exact: true });
  const open = (account, options = {}) =>
    signIn(world.browser, world.hub, account, { path: "/directory", ...options });

  describe("directory", () => {
    test("by need, place, language and age; a word about room; then a patient's referral", async () => {
      const person = somebody("Marisol", "Directorio", { language: "es" });
      await sentHome(world.hub, person, 2);
      const page = await open("coordinator", { viewport: DESK });
      await hasRoom(page, "Ridge Volunteer Drivers");
      const form = page.getByRole("form", { name: "Look for help" });
      await form.getByLabel("Age of the person").fill("old");
      await button(form, "Find who could help").click();
      await page.getByText("Enter years as a number").waitFor();
      await looksRight(page);
      await form.getByLabel("Age of the person").fill("78");
      await form.getByLabel("ZIP code").fill("62558");
      await form.getByLabel("Language").selectOption("es");
      await form.getByLabel("Language").press("Enter");
      await button(form, "Find who could help").click();
      await page.getByRole("heading", { name: "Who helps" }).waitFor();
      await page.getByText(/fit\. The best comes first\.|fits\. The best comes first\./).waitFor();
      const row = page.getByRole("button", { name: /Ridge Volunteer Drivers/ });
      await row.focus();
      await page.keyboard.press("Enter");
      const pane = page.getByRole("complementary", { name: "Service" });
      await pane.getByText("Anybody who can get into a car").waitFor();
      await pane.getByText("Mon–Fri 07:00–18:00").waitFor();
      await pane.getByRole("heading", { name: "Why it fits" }).waitFor();
      assert.match(page.url(), /\?service=[0-9a-f-]+$/);
      await shot(page, "directory");
      await looksRight(page);

      await button(pane, "They told us").click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Only a waiting list").check();
      await dialog.getByLabel("How long is the wait").fill("about two weeks");
      await shot(page, "directory-capacity");
      await looksRight(page);
      await button(dialog, "Save what they said").click();
      await pane.getByText("The wait: about two weeks").waitFor();
      await pane.getByText(/They have a waiting list\. Said: Today/).waitFor();
      await button(pane, "They told us").click();
      await button(dialog, "Save what they said").click();
      await pane.getByText(/They take people\. Said: Today/).waitFor();

      await button(pane, "Refer a patient").click();
      const find = page.getByRole("dialog").getByRole("combobox");
      await until(async () => {
        await find.fill(person.family.slice(0, -1));
        await find.fill(person.family);
        return await isThere(page.getByRole("listbox").getByRole("option").first());
      }, 30_000);
      await page.keyboard.press("Enter");
      await page
        .getByText("You chose Ridge Volunteer Drivers in the directory.", { exact: false })
        .waitFor();
      assert(!page.url().includes("transportation"));
      const day = nextTuesday();
      await page.getByLabel("From, at the facility").fill(`${day}T16:00`);
      await page.getByLabel("Until, at the facility").fill(`${day}T17:00`);
      await page.getByLabel("ZIP code").fill("62558");
      await button(page, "Find who could help").click();
      await page
        .getByRole("radio", { name: /Ridge Volunteer Drivers/ })
        .and(page.locator(":checked"))
        .waitFor();
      await page.getByLabel("Who heard it").fill("N. Haddad");
      await shot(page, "directory-refer");
      await looksRight(page);
      await page.getByRole("button", { name: "Send to Ridge Volunteer Drivers" }).click();
      await page.getByText("Sent. Ridge Volunteer Drivers is asked.").waitFor();
      await page.context().close();
    });

    test("another need goes along to the patient, and nowhere in the address", async () => {
      const person = somebody("Rosario", "Directorio");
      await sentHome(world.hub, person, 2);
      const page = await open("coordinator");
      await idOf(page, person.family);
      await page.getByLabel("Need", { exact: true }).selectOption({ label: "Food" });
      await button(page, "Find who could help").click();
      const found = page.getByRole("region", { name: "Who helps" });
      await found.getByRole("status").waitFor();
      await found.locator("li button").first().click();
      const pane = page.getByRole("complementary", { name: "Service" });
      await looksRight(page);
      await button(pane, "Refer a patient").click();
      await page.getByRole("dialog").getByRole("combobox").fill(person.family);
      await page.getByRole("listbox").getByRole("option").first().click();
      await page.getByText("in the directory. Say when and where", { exact: false }).waitFor();
      assert.equal(await page.getByLabel("Need", { exact: true }).inputValue(), "food-insecurity");
      assert(!/food/.test(page.url()));
      await page.context().close();
    });

    test("at 360 px, in Spanish: the list, the service as a page, and who may only read", async () => {
      const page = await open("pharmacist", { viewport: PHONE, locale: "es-US" });
      await page.getByRole("heading", { level: 1, name: "Directorio" }).waitFor();
      await shot(page, "directory-es-360");
      await looksRight(page);
      await button(page, "Buscar quién podría ayudar").click();
      await page.getByRole("heading", { name: "Quién ayuda" }).waitFor();
      const row = page.getByRole("button", { name: /Ridge Volunteer Drivers/ });
      await row.waitFor();
      await shot(page, "directory-found-es-360");
      await looksRight(page);
      await row.click();
      const pane = page.getByRole("complementary", { name: "Servicio" });
      await pane.getByText("Para quién").waitFor();
      assert.equal(await button(pane, "Pedirlo para un paciente").count(), 0);
      assert.equal(await button(pane, "Nos dijeron").count(), 0);
      await shot(page, "directory-service-es-360");
      await looksRight(page);
      await page.reload();
      await pane.getByText("Para quién").waitFor();
      await page.goto(`${world.hub.url}/directory?service=00000000-0000-4000-8000-000000000000`);
      await page.getByRole("heading", { name: "No podemos mostrar esta página" }).waitFor();
      await page.context().close();
      const operator = await open("operator");
      await operator.getByRole("heading", { name: "We can’t show this page" }).waitFor();
      await operator.context().close();
    });
  });
}

/** Whatever other stories have let it say: now it takes people. */
async function hasRoom(page, name) {
  const { matches } = await call(page, "POST", "/v1/directory/services:search", {
    need: "transportation-insecurity",
  });
  const { service } = matches.find((each) => each.service.name === name);
  const path = `/v1/directory/services/${service.id}:setCapacity`;
  await call(page, "POST", path, { status: "STATUS_YES" });
}

/** A Tuesday that is a week away at least, as a field of a form has it. */
function nextTuesday() {
  const day = new Date(Date.now() + 7 * 86_400_000);
  while (day.getUTCDay() !== 2) day.setUTCDate(day.getUTCDate() + 1);
  return day.toISOString().slice(0, 10);
}
