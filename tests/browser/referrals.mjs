/** Stories of asking a partner to help: by a coordinator on the console, and by the partner on the page without an account. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DESK, looksRight, PHONE, shot, signIn } from "./browser.mjs";
import { idOf, sentHome, somebody } from "./hub.mjs";

const PARTNERS = ["Ridge Volunteer Drivers", "Prairie Wheels Vans", "Good Road Cars"];
const EVERYWHERE = "62558";

/** A weekday of next week, at an hour, as a field of a form has it. */
function nextWeek(hour) {
  const day = new Date(Date.now() + 7 * 86_400_000);
  while (![2, 4].includes(day.getUTCDay())) day.setUTCDate(day.getUTCDate() + 1);
  return `${day.toISOString().slice(0, 10)}T${String(hour).padStart(2, "0")}:00`;
}

export function referrals(world) {
  const button = (page, name) => page.getByRole("button", { name });

  async function aPatient(given, options = {}) {
    const person = somebody(given, `Ayuda${given}`, { language: "es" });
    await sentHome(world.hub, person, 2);
    const page = await signIn(world.browser, world.hub, "coordinator", options);
    const id = await idOf(page, person.family);
    await page.goto(`${world.hub.url}/patients/${id}`);
    await page.locator("#help").waitFor();
    return page;
  }

  async function search(page, hour) {
    await page.getByLabel("From, at the facility").fill(nextWeek(hour));
    await page.getByLabel("Until, at the facility").fill(nextWeek(hour + 1));
    await page.getByLabel("ZIP code").fill(EVERYWHERE);
    await button(page, "Find who could help").click();
    await page.getByRole("heading", { name: "Who could help" }).waitFor();
    await page.getByRole("radiogroup", { name: "Whom to ask first" }).waitFor();
  }

  /** Asks for a ride with one consent; returns who was asked. */
  async function askForRide(page, hour) {
    const section = page.getByRole("region", { name: "Help from others" });
    await section.getByRole("link", { name: "Ask for help" }).click();
    await page.getByRole("heading", { level: 1, name: "Ask for help" }).waitFor();
    await search(page, hour);
    await page
      .getByRole("radiogroup", { name: "Whom to ask first" })
      .getByRole("radio")
      .first()
      .check();
    await page.getByLabel("Where to go").fill("Rural Clinic North");
    await page.getByLabel("Who heard it").fill("N. Haddad");
    const send = button(page, /^Send to/);
    const service = (await send.textContent()).replace("Send to ", "").trim();
    await send.click();
    await page.getByText(`Sent. ${service} is asked.`).waitFor();
    await section.getByText(`We asked ${service}.`).waitFor();
    return service;
  }

  async function linkOf(page) {
    await button(page, "Link to read out").click();
    const dialog = page.getByRole("dialog");
    const url = await dialog.getByLabel("Link", { exact: true }).inputValue();
    await shot(page, "referral-link");
    await looksRight(page);
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });
    return `${world.hub.url}${new URL(url).pathname}`;
  }

  async function partnerAt(url, options = {}) {
    const context = await world.browser.newContext({
      viewport: PHONE,
      locale: "en-US",
      javaScriptEnabled: true,
      ...options,
    });
    const page = await context.newPage();
    page.complaints = [];
    await page.goto(url);
    return page;
  }

  describe("asking for help", () => {
    test("a ride: who fits and why, the consent, the card, and the partner's yes as it comes", async () => {
      const page = await aPatient("Marisol");
      await shot(page, "referral-none");
      await looksRight(page);
      await page
        .getByRole("region", { name: "Help from others" })
        .getByRole("link")
        .first()
        .click();
      await button(page, "Find who could help").click();
      await page.getByText("Say from when until when.").waitFor();
      await looksRight(page);
      await search(page, 9);
      await page.getByText("Nobody knows whether they take somebody now.").first().waitFor();
      await page.getByRole("radio").first().check();
      await page.getByText("Nothing about health", { exact: false }).waitFor();
      await shot(page, "referral-ask");
      await looksRight(page);
      await button(page, /^Send to/).click();
      await page.getByText("Say who heard it").waitFor();
      await page.keyboard.press("Escape");
      await page.getByRole("heading", { level: 2, name: "Help from others" }).waitFor();

      const service = await askForRide(page, 9);
      await page.getByText("said, heard by N. Haddad").waitFor();
      await shot(page, "referral-asked");
      await looksRight(page);
      const partner = await partnerAt(await linkOf(page));
      await partner.getByRole("button", { name: "Yes, we can" }).waitFor();
      assert.equal(await partner.getByText("Can you take more").count(), 0);
      assert.equal(await partner.getByText("Marisol").count(), 0);
      await shot(partner, "partner-asked-360");
      await looksRight(partner);
      await partner.getByRole("button", { name: "Yes, we can" }).click();
      await partner.getByText("Can you take more requests this week?").waitFor();
      await partner.getByText("Marisol").waitFor();
      await shot(partner, "partner-yes-360");
      await looksRight(partner);
      await page.reload();
      await page.getByText(`${service} said yes.`).waitFor();
      await partner.getByRole("button", { name: "Only a waiting list" }).click();
      await partner.getByText("We have noted it.").waitFor();
      await looksRight(partner);
      await partner.setViewportSize(DESK);
      await looksRight(partner);
      await partner.getByRole("button", { name: "Done", exact: true }).click();
      await partner.getByText("We have noted that it is done.").waitFor();
      await looksRight(partner);
      await page.reload();
      await page.getByText("Nobody was asked to help").waitFor();
      await button(page, "Show 1 that has ended").click();
      await page.getByText(`${service} did it.`).waitFor();
      assert.equal(await page.title(), "Patient · CareHub");
      await partner.context().close();
      await page.context().close();
    });

    test("no by telephone, the next one, and taken back; on a phone", async () => {
      const page = await aPatient("Rosario", { viewport: PHONE });
      // The API gives them one at a time: whom they asked before is on the second page.
      await page.route(/\/v1\/referrals\?/, (route) => {
        const url = new URL(route.request().url());
        url.searchParams.set("pageSize", "1");
        return route.continue({ url: url.href });
      });
      const service = await askForRide(page, 12);
      await shot(page, "referral-asked-360");
      await looksRight(page);
      await button(page, "They told us").click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("No", { exact: true }).check();
      await dialog.getByLabel("Why").selectOption({ label: "It is too far" });
      await shot(page, "referral-told-360");
      await looksRight(page);
      await button(dialog, "Save what they said").click();
      await page.getByText(`${service} said no: it is too far.`).waitFor();
      await button(page, "Ask the next one now").click();
      await page.getByText("The patient has to agree first.").waitFor();
      const next = PARTNERS.find((name) => name !== service);
      assert(next);
      await button(page, "Record the consent").click();
      await looksRight(page);
      await dialog.getByLabel("Who heard it").fill("N. Haddad");
      await button(dialog, "Record and send").click();
      await dialog.waitFor({ state: "detached" });
      await page.getByText("They have not answered yet.").waitFor();
      await page.getByText("Asked before").waitFor();
      await button(page, "Cancel it").click();
      await looksRight(page);
      await dialog.getByLabel("Why").selectOption({ label: "It is not needed anymore" });
      await button(dialog, "Cancel it").click();
      await page.getByText("Nobody was asked to help").waitFor();
      await page.context().close();
    });

    test("in Spanish, at 360 px; the partner says no in Spanish and is asked afterwards", async () => {
      const page = await aPatient("Imelda");
      await askForRide(page, 15);
      const url = await linkOf(page);
      await page.evaluate(() => localStorage.clear());
      const partner = await partnerAt(url, { locale: "es-US" });
      await looksRight(partner);
      await partner.getByRole("button", { name: "No, esta vez no" }).click();
      await partner.getByText("¿Puede atender más solicitudes esta semana?").waitFor();
      await shot(partner, "partner-no-es-360");
      await looksRight(partner);
      await partner.getByRole("button", { name: "No", exact: true }).click();
      await partner.getByText("Lo anotamos. Gracias.").waitFor();
      await looksRight(partner);
      await partner.context().close();
      const path = new URL(page.url()).pathname;
      await page.context().close();
      const spanish = await signIn(world.browser, world.hub, "coordinator", {
        viewport: PHONE,
        locale: "es-US",
        path,
      });
      await spanish.getByText("dijo que no").waitFor();
      await shot(spanish, "referral-es-360");
      await looksRight(spanish);
      await spanish.getByRole("link", { name: "Pedir ayuda" }).last().click();
      await spanish.getByRole("heading", { level: 1, name: "Pedir ayuda" }).waitFor();
      await looksRight(spanish);
      await spanish.context().close();
    });

    test("whoever may not ask sees no button, and no form", async () => {
      const page = await aPatient("Nayeli");
      const path = new URL(page.url()).pathname;
      await page.context().close();
      const pharmacist = await signIn(world.browser, world.hub, "pharmacist", { path });
      await pharmacist.getByRole("heading", { name: "Help from others" }).waitFor();
      assert.equal(await pharmacist.getByRole("link", { name: "Ask for help" }).count(), 0);
      await pharmacist.goto(`${world.hub.url}${path}/help`);
      await pharmacist.getByText("You cannot ask for this patient").waitFor();
      await looksRight(pharmacist);
      await pharmacist.context().close();
    });
  });
}
