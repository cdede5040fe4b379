/** Stories of appointments: the day of a facility, a time for somebody, who did not come, and another time with a ride. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DESK, isThere, looksRight, PHONE, shot, signIn } from "./browser.mjs";
import { call, idOf, send, sentHome, siu, somebody, until } from "./hub.mjs";

const MINUTE = 60_000;

/** The day at Mercy, as an address has it. */
const dayAtMercy = (at) =>
  new Intl.DateTimeFormat("en-CA", { timeZone: "America/Chicago" }).format(at);

export function appointments(world) {
  const button = (page, name) => page.getByRole("button", { name, exact: true });
  const open = (account, path, options = {}) =>
    signIn(world.browser, world.hub, account, { path, ...options });

  /** Somebody who came home, known to the scheduler. */
  async function aPatient(given, page) {
    const person = somebody(given, `Cita${given}`, { language: "es" });
    await sentHome(world.hub, person, 2);
    return { ...person, id: await idOf(page, person.family) };
  }

  /** A free time of the transition clinic, as another scheduler would book it. */
  async function booked(page, patientId) {
    const { facilities } = await call(page, "GET", "/v1/facilities?pageSize=100");
    const mercy = facilities.find(({ name }) => name === "Mercy Regional Hospital");
    const { slots } = await call(page, "GET", `/v1/slots?facilityId=${mercy.id}&pageSize=200`);
    const slot = slots[Math.floor(slots.length / 2)];
    const { scheduleId, startTime } = slot;
    const body = { scheduleId, startTime, patientId, purpose: "PURPOSE_FOLLOW_UP" };
    return await call(page, "POST", "/v1/appointments", body);
  }

  describe("appointments", () => {
    test("booked by keyboard, cancelled, undone, and cancelled", async () => {
      const page = await open("scheduler", "/appointments");
      const { id, family } = await aPatient("Marisol", page);
      await page.getByText("Times are those of Mercy Regional Hospital").waitFor();
      await looksRight(page);
      await button(page, "Book a visit").focus();
      await page.keyboard.press("Enter");
      await page.getByRole("dialog", { name: "Who comes?" }).waitFor();
      await page.keyboard.type(family);
      await page.getByRole("listbox").getByRole("option").first().waitFor();
      await looksRight(page);
      await page.keyboard.press("Enter");
      await page.waitForURL(new RegExp(`/patients/${id}/book`));
      assert(!page.url().includes(family));
      const times = page.getByRole("radio");
      await times.first().waitFor();
      assert(await button(page, "Book this time").isDisabled());
      await shot(page, "book");
      await looksRight(page);
      await times.first().focus();
      await page.keyboard.press("ArrowDown");
      await page.getByText(/Marisol .*, with Transition clinic/).waitFor();
      await button(page, "Book this time").focus();
      await page.keyboard.press("Enter");
      await page.getByText(/^Booked\. Marisol/).waitFor();
      const pane = page.getByRole("complementary", { name: "Appointment" });
      await pane.getByText("Booked", { exact: true }).waitFor();
      await pane.getByText("Nobody was asked.").waitFor();
      await shot(page, "appointment-booked");
      await looksRight(page);

      await button(pane, "Cancel it").click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("The clinic").check();
      await shot(page, "appointment-cancel");
      await looksRight(page);
      await button(dialog, "Cancel the appointment").click();
      await page.getByText(/^Cancelling in a moment/).waitFor();
      await page.keyboard.press("z");
      await button(pane, "Cancel it").click();
      await button(dialog, "Cancel the appointment").click();
      await button(page, "Save now").click();
      await page.getByText(/time is free again/).waitFor();
      await pane.getByText(/^Cancelled by the patient/).waitFor();
      await page.keyboard.press("Escape");
      await pane.waitFor({ state: "detached" });
      await page.context().close();
    });

    test("who did not come is booked again; the day shows it, and others see it as it happens", async () => {
      const page = await open("scheduler", "/worklist");
      const person = await aPatient("Rosario", page);
      const start = new Date(Date.now() - 5 * MINUTE);
      await send(world.hub, siu(person, start));
      const day = dayAtMercy(start);
      const row = page.getByRole("button", { name: new RegExp(person.family) });
      await until(async () => {
        await page.goto(`${world.hub.url}/appointments?day=${day}`);
        return await isThere(row);
      }, 30_000);
      await row.focus();
      await page.keyboard.press("Enter");
      const pane = page.getByRole("complementary", { name: "Appointment" });
      await pane
        .getByText("It was booked in the facility’s own system.", { exact: false })
        .waitFor();
      assert.equal(await button(pane, "Cancel it").count(), 0);
      await shot(page, "appointment-of-feed");
      await button(pane, "Did not come").click();
      await button(page, "Save now").click();
      await page.getByText("Somebody asks why.").waitFor();
      await pane.getByText("Did not come", { exact: true }).waitFor();
      await page.getByText("1 did not come").waitFor();
      await shot(page, "appointment-missed");
      await looksRight(page);

      const other = await open("coordinator", `/patients/${person.id}/appointments`);
      await other.getByText("Nothing is booked").waitFor();
      await pane.getByRole("link", { name: "Book another time" }).click();
      await page.getByRole("heading", { level: 1, name: "Book another time" }).waitFor();
      await page.getByText("which stays as it is").waitFor();
      await page.getByRole("radio").nth(3).check({ force: true });
      await looksRight(page);
      await button(page, "Book this time").click();
      await page.getByText(/^Booked\. Rosario/).waitFor();
      await pane.getByText("In place of").waitFor();
      await looksRight(page);
      await other.getByRole("heading", { name: "Ahead" }).waitFor();
      await other.getByText("Booked again for").waitFor({ timeout: 15_000 });
      await shot(other, "patient-appointments");
      await looksRight(other);
      await other.context().close();
      await page.context().close();
    });

    test("a time that somebody else has taken is said, and another one is booked", async () => {
      const page = await open("scheduler", "/worklist");
      const { id } = await aPatient("Imelda", page);
      const rival = await aPatient("Nayeli", page);
      await page.goto(`${world.hub.url}/patients/${id}/book`);
      const times = page.getByRole("radio");
      await times.first().waitFor();
      let taken = null;
      await page.route("**/v1/appointments", async (route) => {
        if (taken || route.request().method() !== "POST") return await route.continue();
        taken = route.request().postDataJSON();
        await route.abort(); // the network goes, and somebody is faster meanwhile
      });
      await times.nth(5).check({ force: true });
      await button(page, "Book this time").click();
      await page.getByText("CareHub does not answer.", { exact: false }).waitFor();
      await page.unroute("**/v1/appointments");
      // The page has not heard of it yet.
      await page.route("**/v1/slots?*", (route) => route.abort());
      const { scheduleId, startTime, purpose } = taken;
      await call(page, "POST", "/v1/appointments", {
        scheduleId,
        startTime,
        purpose,
        patientId: rival.id,
      });
      await button(page, "Book this time").click();
      await page.getByText("Somebody was faster").waitFor();
      await page.unroute("**/v1/slots?*");
      await looksRight(page);
      await times.nth(7).check({ force: true });
      await button(page, "Book this time").click();
      await page.waitForURL(/\/appointments$/);
      await page.getByText("Booked", { exact: true }).waitFor();
      await page.context().close();
    });

    test("a ride of that day stands in the row; on a phone, in Spanish", async () => {
      const coordinator = await open("coordinator", "/worklist");
      const { id, family } = await aPatient("Luz", coordinator);
      const made = await booked(coordinator, id);
      const at = Date.parse(made.startTime);
      const service = await rideFor(coordinator, made, id, at);
      const path = `/appointments?facility=${made.facilityId}&day=${dayAtMercy(new Date(at))}`;
      const desk = await open("scheduler", path, { viewport: DESK });
      const row = desk.getByRole("button", { name: new RegExp(family) });
      await row.getByText(`${service} was asked`).waitFor();
      await shot(desk, "appointments");
      await looksRight(desk);
      await desk.context().close();
      const phone = await open("scheduler", path, { viewport: PHONE, locale: "es-US" });
      await phone.getByText(`Se pidió a ${service}`).first().waitFor();
      await shot(phone, "appointments-es-360");
      await looksRight(phone);
      await phone.getByRole("button", { name: new RegExp(family) }).click();
      await phone.getByRole("complementary", { name: "Cita" }).waitFor();
      await shot(phone, "appointment-es-360");
      await looksRight(phone);
      await phone.goto(`${world.hub.url}/patients/${id}/appointments`);
      await phone.getByRole("heading", { name: "Próximas" }).waitFor();
      await phone.getByText(`Se pidió a ${service}`).waitFor();
      await shot(phone, "patient-appointments-es-360");
      await looksRight(phone);
      await phone.getByRole("link", { name: "Reservar una visita" }).click();
      await phone.getByRole("radio").first().waitFor();
      await shot(phone, "book-es-360");
      await looksRight(phone);
      await phone.context().close();
      await coordinator.context().close();
    });

    test("an empty day, no connection, an error, and who may only read or not even that", async () => {
      const page = await open("scheduler", "/appointments?day=2031-01-05");
      await page.getByText("Nobody has an appointment on this day").waitFor();
      await shot(page, "appointments-empty");
      await looksRight(page);
      await page.route("**/v1/appointments?*", (route) =>
        route.fulfill({ status: 500, contentType: "application/problem+json", body: "{}" }),
      );
      await button(page, "Week after").click();
      await page.getByText("We could not load the appointments").waitFor();
      await looksRight(page);
      await page.unroute("**/v1/appointments?*");
      await button(page, "Try again").click();
      await page.getByText("Nobody has an appointment on this day").waitFor();
      await page.context().setOffline(true);
      await page.getByText("What you change now cannot be saved.").waitFor();
      await page.getByText("Nobody has an appointment on this day").waitFor();
      await page.context().close();

      const pharmacist = await open("pharmacist", "/worklist");
      const { id } = await aPatient("Nora", pharmacist);
      const scheduler = await open("scheduler", "/worklist");
      await booked(scheduler, id);
      await scheduler.context().close();
      await pharmacist.goto(`${world.hub.url}/patients/${id}/appointments`);
      await pharmacist.getByText("You can read this.", { exact: false }).waitFor();
      assert.equal(await pharmacist.getByRole("link", { name: "Book a visit" }).count(), 0);
      await looksRight(pharmacist);
      await pharmacist.goto(`${world.hub.url}/patients/${id}/book`);
      await pharmacist.getByRole("heading", { name: "We can’t show this page" }).waitFor();
      await pharmacist.context().close();
      const operator = await open("operator", "/appointments");
      await operator.getByRole("heading", { name: "We can’t show this page" }).waitFor();
      await looksRight(operator);
      await operator.context().close();
    });
  });
}

/** Asks for a ride on that day, as a coordinator with the patient on the telephone. */
async function rideFor(page, made, patientId, at) {
  const need = "transportation-insecurity";
  const time = (by) => new Date(at + by * MINUTE).toISOString();
  const looked = { need, postalCode: "62558", startTime: time(-30), endTime: time(90) };
  const { matches } = await call(page, "POST", "/v1/directory/services:search", {
    ...looked,
    facilityId: made.facilityId,
  });
  const { service } = matches.find(({ fits }) => fits);
  const { startTime, endTime, postalCode } = looked;
  const draft = await call(page, "POST", "/v1/referrals", {
    referral: {
      facilityId: made.facilityId,
      patientId,
      need,
      serviceId: service.id,
      details: { startTime, endTime, postalCode, area: "Pine Creek" },
    },
  });
  await call(page, "POST", `/v1/referrals/${draft.id}:send`, {
    etag: draft.etag,
    consent: { form: "FORM_VERBAL", serviceIds: [service.id], witness: "N. Haddad" },
  });
  return service.name;
}
