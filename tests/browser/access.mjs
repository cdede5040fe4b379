/** Stories of who sees a patient: who has looked, why somebody may, and an emergency from the closed door to its review. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DESK, looksRight, PHONE, signIn } from "./browser.mjs";
import { idOf, sentHome, somebody } from "./hub.mjs";

const toast = (page, text) => page.locator("[aria-live=polite]", { hasText: text });
const dialog = (page) => page.getByRole("dialog");
const CLOSED = "We can’t show this page";

export function access(world) {
  const open = (account, path, options = {}) =>
    signIn(world.browser, world.hub, account, { path, ...options });

  async function aPatientOfMercy(given) {
    const person = somebody(given, "Acceso");
    await sentHome(world.hub, person, 2);
    const page = await open("coordinator", "/worklist");
    const id = await idOf(page, person.family);
    return { person, id, page };
  }

  describe("who sees this", () => {
    test("is one click from the patient, and says who has looked and for what", async () => {
      const { person, id, page } = await aPatientOfMercy("Lucía");
      const nurse = await open("nurse", `/patients/${id}`);
      await nurse.getByRole("heading", { level: 1, name: person.family }).waitFor();
      await nurse.context().close();
      await page.goto(`${world.hub.url}/patients/${id}`);
      await page.getByRole("link", { name: "Who saw this", exact: true }).click();
      await page.waitForURL(/\/access$/);
      await page.getByRole("heading", { level: 1, name: "Who sees this" }).waitFor();
      const looks = page.getByRole("listitem");
      const haddad = looks.filter({ hasText: "Nadia Haddad" });
      await haddad.filter({ hasText: "saw the record" }).waitFor();
      await haddad.filter({ hasText: "Treatment" }).waitFor();
      await looks.filter({ hasText: "Dolores Reyes (you)" }).waitFor();
      await looksRight(page);
      assert.equal(await page.title(), "Who sees this · CareHub");
      await page.keyboard.press("Escape");
      await page.waitForURL(/\/patients\/[0-9a-f-]{36}$/);
      await page.context().close();
    });

    test("somebody hears why they see, and an officer why another does not", async () => {
      const { id, page } = await aPatientOfMercy("Mateo");
      await page.goto(`${world.hub.url}/patients/${id}/access?show=why`);
      await page.getByText("You may see all of it.").waitFor();
      await page.getByText("It was written at your own facility.").waitFor();
      await looksRight(page);
      assert.equal(await page.getByRole("combobox").count(), 0, "of others only an officer hears");
      await page.context().close();

      const officer = await open("privacy-officer", `/patients/${id}/access?show=why`);
      const who = officer.getByRole("combobox", { name: "Whose access" });
      await who.fill("Redfeather");
      await officer.getByRole("option", { name: /Redfeather/ }).click();
      await officer.getByText("They may see none of it.").waitFor();
      await officer.getByText("No fact connects them with the patient.").first().waitFor();
      await officer.getByText("What is specially protected").click();
      await officer.getByRole("heading", { name: "HIV" }).waitFor();
      await looksRight(officer);
      await officer.context().close();
    });
  });

  describe("an emergency", () => {
    test("opens a closed door for an hour, is seen, is ended, and is reviewed", async () => {
      const { person, id, page } = await aPatientOfMercy("Inés");
      await page.context().close();
      const nurse = await open("rural-nurse", `/patients/${id}`);
      await nurse.getByRole("heading", { level: 1, name: CLOSED }).waitFor();
      await looksRight(nurse);
      await nurse.getByRole("button", { name: "open for 60 minutes" }).click();
      await dialog(nurse).getByRole("button", { name: "Open for 60 minutes" }).click();
      await dialog(nurse).getByText("Choose why").first().waitFor();
      await looksRight(nurse);
      await dialog(nurse).getByLabel("Life or limb is in danger").check();
      await dialog(nurse).getByLabel("What happened").fill("Found unconscious at home");
      await dialog(nurse).getByRole("button", { name: "Open for 60 minutes" }).click();
      const confirm = dialog(nurse).getByRole("link", { name: "Confirm that it is you" });
      await confirm.waitFor();
      await looksRight(nurse);
      const [window] = await Promise.all([nurse.context().waitForEvent("page"), confirm.click()]);
      await window.click("button[name=account][value=rural-nurse]");
      await nurse
        .getByRole("heading", { level: 1, name: person.family })
        .waitFor({ timeout: 60_000 });
      await window.close();
      await nurse.getByText("Emergency access until").waitFor();
      await nurse.locator("ol li", { hasText: "Now ·" }).waitFor();
      await looksRight(nurse);

      // Another window, or this one loaded again, knows of it.
      await nurse.reload();
      await nurse.getByText("Emergency access until").waitFor({ timeout: 60_000 });
      await nurse.getByRole("link", { name: "Who saw this", exact: true }).click();
      await nurse.getByRole("listitem").filter({ hasText: "Emergency" }).first().waitFor();
      await looksRight(nurse);
      await nurse.getByRole("button", { name: "End it now" }).click();
      await toast(nurse, "Emergency access has ended").waitFor();
      await nurse.getByRole("heading", { level: 1, name: CLOSED }).waitFor();
      await nurse.context().close();

      const officer = await open("privacy-officer", "/emergencies");
      const one = officer.getByRole("listitem").filter({ hasText: "Found unconscious" }).last();
      await one.waitFor();
      await looksRight(officer);
      await one.getByRole("button", { name: "Review" }).click();
      await dialog(officer).getByLabel("It was right").check();
      await dialog(officer).getByLabel("Why").fill("She was in the emergency room");
      await looksRight(officer);
      await dialog(officer).getByRole("button", { name: "Save the review" }).click();
      await toast(officer, "Saved.").waitFor();
      await officer.context().close();
    });

    test("is not offered to whoever's role does not open doors", async () => {
      const path = "/patients/00000000-0000-7000-8000-000000000000";
      for (const [account, offers] of [
        ["clinic-nurse", 1],
        ["privacy-officer", 0],
      ]) {
        const page = await open(account, path);
        await page.getByRole("heading", { level: 1, name: CLOSED }).waitFor();
        const offer = page.getByRole("button", { name: "open for 60 minutes" });
        if (offers) await offer.waitFor();
        assert.equal(await offer.count(), offers, account);
        await page.context().close();
      }
    });
  });

  describe("who sees this, small and in Spanish", () => {
    for (const way of [
      { viewport: PHONE, locale: "es-US", colorScheme: "light" },
      { viewport: DESK, locale: "es-US", colorScheme: "dark" },
    ]) {
      test(`at ${way.viewport.width} px`, async () => {
        const { id, page } = await aPatientOfMercy("Nora");
        await page.context().close();
        for (const show of ["", "?show=why"]) {
          const officer = await open("privacy-officer", `/patients/${id}/access${show}`, way);
          await officer.getByRole("heading", { level: 1, name: "Quién ve esto" }).waitFor();
          await officer.getByRole("listitem").first().waitFor();
          await looksRight(officer);
          await officer.context().close();
        }
      });
    }
  });
}
