/** Stories of consents: what a patient refuses is seen before it is recorded, holds, is changed, and is taken back. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DESK, looksRight, PHONE, signIn } from "./browser.mjs";
import { idOf, sentHome, somebody } from "./hub.mjs";

const dialog = (page) => page.getByRole("dialog");
const button = (place, name) => place.getByRole("button", { name });
const CLOSED = "We can’t show this page";
const NURSE_REFUSED = "Forbids Nadia Haddad to see anything.";

async function choose(page, field, name) {
  await page.getByRole("combobox", { name: field }).fill(name);
  await page.getByRole("option", { name }).first().click();
  await page.keyboard.press("Tab");
  await page.getByRole("listbox").waitFor({ state: "hidden" });
}

/** As a hub answers whose gateway is told that consents need a second factor. */
async function refuseOnce(page, path) {
  const problem = { status: 403, reason: "STEP_UP_REQUIRED", detail: "" };
  const answer = { status: 403, contentType: "application/problem+json" };
  await page.route(`**${path}`, (route) => route.fulfill({ ...answer, json: problem }), {
    times: 1,
  });
}

export function consents(world) {
  const open = (account, path, options = {}) =>
    signIn(world.browser, world.hub, account, { path, ...options });

  async function aPatientOfMercy(given) {
    const person = somebody(given, `Permiso${given}`);
    await sentHome(world.hub, person, 2);
    const page = await open("coordinator", "/worklist");
    const id = await idOf(page, person.family);
    return { person, id, page };
  }

  describe("consents", () => {
    test("a refusal is seen before it is recorded, shuts out whom it names, and is taken back", async () => {
      const { person, id, page } = await aPatientOfMercy("Lena");
      const asked = [];
      page.on("request", (request) => asked.push(decodeURIComponent(request.url())));
      const nurse = await open("nurse", `/patients/${id}`);
      await nurse.getByRole("heading", { level: 1, name: person.family }).waitFor();

      await page.goto(`${world.hub.url}/patients/${id}`);
      await page.getByRole("link", { name: "Consents", exact: true }).click();
      await page.getByText("No consent is recorded here").waitFor();
      await looksRight(page);
      await button(page, "Record a consent").click();
      await page.getByRole("radio", { name: "Forbid" }).check();
      await choose(page, "Who may not see it", "Nadia Haddad");
      await looksRight(page);
      await button(page, "See the effect").click();
      await page.getByText(NURSE_REFUSED).waitFor();
      const effect = page.getByRole("region", { name: "Nadia Haddad" });
      await effect.getByText("Will no longer see").waitFor();
      await effect
        .getByText(/^everything.* from Mercy Regional Hospital/)
        .first()
        .waitFor();
      await looksRight(page);
      await button(page, "Record this consent").click();
      await page.getByText("Recorded. It holds everywhere").waitFor();
      const holds = page.getByRole("region", { name: "In force" }).getByRole("listitem");
      await holds.filter({ hasText: NURSE_REFUSED }).waitFor();
      await holds.filter({ hasText: "Recorded by Dolores Reyes" }).waitFor();
      await looksRight(page);
      assert.equal(await page.title(), "Consents · CareHub");
      assert(!asked.some((url) => /permiso|haddad/i.test(url)), "no name in any address");

      await nurse.goto(`${world.hub.url}/patients/${id}`);
      await nurse.getByRole("heading", { level: 1, name: CLOSED }).waitFor();

      await button(holds, "Withdraw").click();
      const will = dialog(page).getByRole("region", { name: "Nadia Haddad" });
      await will.getByText("Will also see").waitFor();
      await looksRight(page);
      await button(dialog(page), "Withdraw it").click();
      await page.getByText("Withdrawn. That holds everywhere").waitFor();
      const ended = page.getByRole("region", { name: "Ended" }).getByRole("listitem");
      await ended.filter({ hasText: "Forbade Nadia Haddad" }).waitFor();
      assert.equal(await button(ended, "Withdraw").count(), 0, "once is enough");
      await looksRight(page);
      await nurse.goto(`${world.hub.url}/patients/${id}`);
      await nurse.getByRole("heading", { level: 1, name: person.family }).waitFor();
      await nurse.context().close();
      await page.context().close();
    });

    test("a permission needs its evidence, is changed, and who is overtaken begins anew", async () => {
      const { id, page } = await aPatientOfMercy("Omar");
      await page.goto(`${world.hub.url}/patients/${id}/consents`);
      await button(page, "Record a consent").click();
      await choose(page, "Who may see it", "Ridge Neighbors");
      await button(page, "See the effect").click();
      await page.getByRole("alert").getByText("A permission needs").waitFor();
      await looksRight(page);
      await page.getByLabel("The signature, the witness").check();
      await page.getByLabel("Holds until").fill("2099-05-03");
      await button(page, "See the effect").click();
      const effect = page.getByRole("region", { name: "Ridge Neighbors" });
      await effect.getByText("Will also see").waitFor();
      await button(page, "Go back and change it").click();
      await page.getByLabel("Where the evidence is").fill("Binder 4, witness O. Ortiz");
      await button(page, "See the effect").click();
      await refuseOnce(page, "/v1/consents");
      await button(page, "Record this consent").click();
      const confirm = page.getByRole("link", { name: "Confirm that it is you" });
      await confirm.waitFor();
      await looksRight(page);
      const [window] = await Promise.all([page.context().waitForEvent("page"), confirm.click()]);
      await window.click("button[name=account][value=coordinator]");
      const one = page.getByRole("listitem").filter({ hasText: "Allows Ridge Neighbors" });
      await one.filter({ hasText: "until Sun 3 May 2099" }).waitFor();
      await one.filter({ hasText: "Binder 4" }).waitFor();

      const other = await open("coordinator", `/patients/${id}/consents`);
      await button(other, "Change").click();
      await button(page, "Change").click();
      for (const [mine, name] of [
        [other, "Mental health"],
        [page, "Genetics"],
      ]) {
        await mine.getByRole("checkbox", { name }).check();
        await button(mine, "See the effect").click();
        await button(mine, "Save the change").click();
      }
      await other.getByText("Changed. It holds everywhere").waitFor();
      await page.getByRole("alert").getByText("Somebody has changed it").waitFor();
      await looksRight(page);
      await button(page, "Load it as it is now").click();
      await page.getByRole("checkbox", { name: "Mental health", checked: true }).waitFor();
      assert(!(await page.getByRole("checkbox", { name: "Genetics" }).isChecked()));
      await other.context().close();
      await page.context().close();
    });

    test("what changes nothing says so", async () => {
      const { id, page } = await aPatientOfMercy("Vera");
      await page.goto(`${world.hub.url}/patients/${id}/consents`);
      await button(page, "Record a consent").click();
      await page.getByRole("radio", { name: "Forbid" }).check();
      await choose(page, "Who may not see it", "Pine Creek Rural Health (facility)");
      await button(page, "See the effect").click();
      await page.getByText("It changes nothing for anybody.").waitFor();
      await looksRight(page);
      await page.context().close();
    });

    test("is shown to whose role it is, and recorded by fewer", async () => {
      const { id, page } = await aPatientOfMercy("Ada");
      await page.context().close();
      const officer = await open("privacy-officer", `/patients/${id}/consents`);
      await officer.getByText("No consent is recorded here").waitFor();
      assert.equal(await button(officer, "Record a consent").count(), 0);
      await officer.context().close();
      const pharmacist = await open("pharmacist", `/patients/${id}`);
      await pharmacist.getByRole("link", { name: "Who saw this", exact: true }).waitFor();
      const link = pharmacist.getByRole("link", { name: "Consents", exact: true });
      assert.equal(await link.count(), 0);
      await pharmacist.goto(`${world.hub.url}/patients/${id}/consents`);
      await pharmacist.getByRole("heading", { level: 1, name: CLOSED }).waitFor();
      await pharmacist.context().close();
    });

    for (const way of [
      { viewport: PHONE, locale: "es-US", colorScheme: "light" },
      { viewport: DESK, locale: "es-US", colorScheme: "dark" },
    ]) {
      test(`in Spanish at ${way.viewport.width} px`, async () => {
        const { id, page } = await aPatientOfMercy(way.viewport === PHONE ? "Nora" : "Iris");
        await page.context().close();
        const mine = await open("coordinator", `/patients/${id}/consents`, way);
        await button(mine, "Registrar un consentimiento").click();
        await choose(mine, "Quién puede verlo", "Ridge Neighbors");
        await mine.getByLabel("La firma, la declaración").check();
        await looksRight(mine);
        await button(mine, "Ver el efecto").click();
        await mine.getByText("Permite que se muestre a Ridge Neighbors").waitFor();
        await looksRight(mine);
        await button(mine, "Registrar este consentimiento").click();
        await mine.getByText("Registrado. Vale en todas partes").waitFor();
        await looksRight(mine);
        await button(mine, "Retirar").click();
        await dialog(mine).getByText("Ya no verá").waitFor();
        await looksRight(mine);
        await mine.context().close();
      });
    }
  });
}
