/** Stories of messages: the telephone of a demo hub, the care team's threads, and how a patient is reached. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DESK, looksRight, PHONE, shot, signIn } from "./browser.mjs";
import { idOf, sentHome, somebody, until } from "./hub.mjs";

/** On a desk and on a phone. */
async function looksRightEverywhere(page, name) {
  await looksRight(page);
  await shot(page, `${name}-desk`);
  await page.setViewportSize(PHONE);
  await looksRight(page);
  await shot(page, `${name}-phone`);
  await page.setViewportSize(DESK);
}

let number = Math.floor(Math.random() * 10_000);
/** A number of their own: a telephone shows everything that came to it. */
const ownNumber = () => {
  number = (number + 1) % 10_000;
  return `+1217555${String(number).padStart(4, "0")}`;
};

export function messaging(world) {
  async function messagesOf(given, options = {}) {
    const person = somebody("Ana", given, { language: "es" });
    await sentHome(world.hub, person, 1);
    const page = await signIn(world.browser, world.hub, options.account ?? "nurse", options);
    const id = await idOf(page, person.family);
    await reachAt(page, id, ownNumber());
    await page.goto(`${world.hub.url}/patients/${id}`);
    await page
      .getByRole("link", { name: /Threads and messages|Conversaciones y mensajes/ })
      .click();
    await page.waitForURL(/\/messages$/);
    return { page, id };
  }

  /** Once messaging knows the patient, it is told the number. */
  async function reachAt(page, id, phone) {
    const change = () =>
      page.evaluate(
        async ([id, phone]) => {
          const answer = await fetch(`/v1/contacts/${id}?updateMask=phone`, {
            method: "PATCH",
            headers: {
              "content-type": "application/json",
              "idempotency-key": crypto.randomUUID(),
            },
            body: JSON.stringify({ phone }),
          });
          return answer.ok;
        },
        [id, phone],
      );
    await until(change, 30_000);
  }

  describe("messages", () => {
    test("a thread is started, taken, answered and closed; who owes the answer is said", async () => {
      const { page } = await messagesOf("Imelda");
      await page.getByText("No thread is open").waitFor();
      await looksRightEverywhere(page, "threads-none");
      await page.getByRole("button", { name: "Start a thread" }).click();
      const dialog = page.getByRole("dialog", { name: "Start a thread" });
      await page.keyboard.type("Ride on Monday");
      await dialog.getByLabel("What you want to say or ask").fill("Who drives her?");
      await dialog.getByLabel("How soon").selectOption({ label: "Urgent: within minutes" });
      await looksRightEverywhere(page, "threads-start");
      await dialog.getByRole("button", { name: "Start the thread" }).click();
      await dialog.waitFor({ state: "detached" });
      const thread = page.getByRole("article", { name: "Ride on Monday" });
      // In minutes: shortly before midnight that is tomorrow.
      await thread
        .getByText(/^Nobody has taken it yet\. .+ answers for it, by (Today|Tomorrow)/)
        .waitFor();
      await thread
        .getByText(/^Due soon/)
        .first()
        .waitFor();
      const open = thread.getByRole("button", { name: "Read and answer" });
      await open.focus();
      await page.keyboard.press("Enter");
      await thread.getByText("Who drives her?").waitFor();
      await looksRightEverywhere(page, "threads-open");
      await thread.getByRole("button", { name: "Take it" }).click();
      await thread.getByText(/owes an answer by (Today|Tomorrow)/).waitFor();
      await thread.getByLabel("Your words to the care team").fill("I do, at 9.");
      await thread.getByRole("button", { name: "Post" }).click();
      await thread.getByText("I do, at 9.").waitFor();
      await thread.getByText("Answered", { exact: true }).waitFor();
      await looksRightEverywhere(page, "threads-answered");
      await thread.getByRole("button", { name: "Close it" }).click();
      await page.getByText("No thread is open").waitFor();
      await page.getByRole("button", { name: "Show 1 closed thread" }).click();
      await thread.getByText("Closed", { exact: true }).waitFor();
      assert.equal(await page.title(), "Messages · CareHub");
      await page.context().close();
    });

    test("somebody else reads a thread, live, and says that they did", async () => {
      const { page, id } = await messagesOf("Oralia");
      const other = await signIn(world.browser, world.hub, "coordinator", {
        path: `/patients/${id}/messages`,
      });
      await other.getByText("No thread is open").waitFor();
      await page.getByRole("button", { name: "Start a thread" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("What it is about").fill("Oxygen at home");
      await dialog.getByLabel("What you want to say or ask").fill("Did it come?");
      await dialog.getByRole("button", { name: "Start the thread" }).click();
      const thread = other.getByRole("article", { name: "Oxygen at home" });
      await thread.getByRole("button", { name: "Read and answer, 1 new" }).click();
      await thread.getByText("Nobody else has read it yet.").waitFor();
      await thread.getByRole("button", { name: "I have read it" }).click();
      await thread.getByText(/^Read by /).waitFor();
      await looksRight(other);
      await other.context().close();
      await page.context().close();
    });

    test("words that could tell of an illness leave only after a second look", async () => {
      const { page } = await messagesOf("Fermina");
      const words = page.getByLabel("Write to the patient");
      await words.fill("Your HIV test is back. Call us.");
      await page
        .getByText(/nothing is sent; it waits for the morning|quiet time/)
        .first()
        .waitFor();
      await page.getByRole("button", { name: "Send the message" }).click();
      await page.getByText("Do these words tell of an illness?").waitFor();
      await looksRightEverywhere(page, "write-look");
      await page.getByRole("button", { name: "Change the words" }).click();
      assert.equal(await words.inputValue(), "Your HIV test is back. Call us.");
      await page.getByRole("button", { name: "Send the message" }).click();
      await page.getByRole("button", { name: "I looked: send it as it is" }).click();
      const told = page.getByRole("list", { name: "Messages to the patient" });
      await told.getByText("Your HIV test is back. Call us.").waitFor();
      // The list may hear of it from the stream before the answer has come.
      await until(async () => (await words.inputValue()) === "", 10_000);
      await page.context().close();
    });

    test("how a patient is reached is changed; what cannot be is said at once", async () => {
      const { page } = await messagesOf("Petra");
      await page.getByRole("button", { name: "Change how they are reached" }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("Telephone", { exact: true }).fill("555");
      await looksRightEverywhere(page, "contact-change");
      await dialog.getByRole("button", { name: "Save how they are reached" }).click();
      await dialog.getByText("Write the telephone number with +").waitFor();
      await dialog.getByLabel("Telephone", { exact: true }).fill(ownNumber());
      await dialog.getByLabel("Others read this telephone").check();
      await dialog.getByLabel("Text message").selectOption({ label: "Allowed" });
      await dialog.getByLabel("Telephone call").selectOption({ label: "Said no" });
      await dialog.getByLabel("From").selectOption("9");
      await dialog.getByLabel("Until").selectOption("17");
      await dialog.getByRole("button", { name: "Save how they are reached" }).click();
      await dialog.waitFor({ state: "detached" });
      await page.getByText("Text message: allowed").waitFor();
      await page.getByText("Telephone call: said no").waitFor();
      await page.getByText("09:00 to 17:00, local time").waitFor();
      await page.getByText("Messages name no clinic.").waitFor();
      await looksRightEverywhere(page, "contact");
      await page.context().close();
    });

    test("in Spanish, too", async () => {
      const { page } = await messagesOf("Zoila", { locale: "es-US" });
      await page.getByText("No hay ninguna conversación abierta").waitFor();
      await looksRightEverywhere(page, "threads-es");
      await page.context().close();
    });

    test("who does not read threads gets the page for what cannot be shown", async () => {
      const page = await signIn(world.browser, world.hub, "operator", { path: "/telephone" });
      await page.getByText("We can’t show this page").waitFor();
      await looksRight(page);
      await page.context().close();
    });
  });

  describe("the telephone of a demo hub", () => {
    test("what came is answered with a tap and with words, and the care team sees it", async () => {
      const { page, id } = await messagesOf("Lucinda", { viewport: PHONE });
      await byDay(world, async () => {
        await until(() => leavesAtOnce(page, id), 20_000);
        await answered(page, id);
      });
      await page.context().close();
    });

    async function answered(page, id) {
      const words = `Su cita es el lunes ${Date.now()}`;
      await page.getByLabel("Write to the patient").fill(words);
      await page.getByRole("button", { name: "Send the message" }).click();
      await page.getByRole("list", { name: "Messages to the patient" }).getByText(words).waitFor();
      await page.getByRole("link", { name: "The patient’s telephone" }).click();
      await page.waitForURL(/\/telephone\?patient=/);
      const log = page.getByRole("log");
      if (await page.getByText("Nothing has come yet").isVisible()) {
        await looksRight(page);
        await shot(page, "telephone-none");
      }
      await log.getByText(words).waitFor({ timeout: 30_000 });
      assert.equal(await log.locator("[lang=es]").getByText(words).count(), 1);
      await page.getByText("Answer why a visit was missed").click();
      await looksRightEverywhere(page, "telephone");
      await page.setViewportSize(PHONE);
      await page.getByRole("button", { name: "1 · Yes" }).click();
      await log.getByText("1", { exact: true }).waitFor();
      await page.getByLabel("Answer in own words").fill("¿Puede venir mi hija?");
      await page.keyboard.press("Enter");
      await log.getByText("¿Puede venir mi hija?").waitFor();
      await page.goto(`${world.hub.url}/patients/${id}/messages`);
      await page.getByText("The patient wrote.").waitFor();
      await page.getByText("in words that somebody has to read").first().waitFor();
      await looksRightEverywhere(page, "told");
    }

    test("a hub whose messages leave says that it has no telephones", async () => {
      const page = await signIn(world.browser, world.hub, "nurse");
      const off = { status: 400, json: { reason: "NO_TELEPHONE", detail: "" } };
      await page.route("**/v1/telephone*", (route) => route.fulfill(off));
      await page.goto(`${world.hub.url}/telephone`);
      await page.getByText("This hub has no telephones of its own").waitFor();
      await looksRightEverywhere(page, "telephone-off");
      await page.unroute("**/v1/telephone*");
      await page.route("**/v1/telephone*", (route) => route.fulfill({ status: 500, json: {} }));
      await page.goto(`${world.hub.url}/telephone`);
      await page.getByText("We could not load the telephones").waitFor();
      await looksRight(page);
      await page.context().close();
    });
  });
}

const ZONES = ["America/Chicago", "Europe/Berlin", "Pacific/Auckland"];

/** Whether it is night there, or will be before what is done by day is over. */
function isQuiet(timeZone) {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone,
    hourCycle: "h23",
    hour: "numeric",
  });
  const hour = Number(parts.format(new Date()));
  return hour >= 20 || hour < 8;
}

/** It is day at Mercy while something is done: nobody is written to at night. */
async function byDay(world, act) {
  const [home] = ZONES;
  if (!isQuiet(home)) return await act();
  const admin = await signIn(world.browser, world.hub, "admin");
  try {
    await moveMercy(
      admin,
      ZONES.find((zone) => !isQuiet(zone)),
    );
    return await act();
  } finally {
    await moveMercy(admin, home);
    await admin.context().close();
  }
}

async function moveMercy(admin, timeZone) {
  const status = await admin.evaluate(async (timeZone) => {
    const { facilities } = await (await fetch("/v1/facilities?pageSize=100")).json();
    const { id } = facilities.find(({ name }) => name.startsWith("Mercy"));
    const answer = await fetch(`/v1/facilities/${id}?updateMask=timeZone`, {
      method: "PATCH",
      headers: { "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
      body: JSON.stringify({ timeZone }),
    });
    return answer.status;
  }, timeZone);
  assert.equal(status, 200);
}

/** Whether messaging has heard that it is day: what is written leaves now. */
function leavesAtOnce(page, id) {
  return page.evaluate(async (id) => {
    const { staffMember } = await (await fetch("/v1/me")).json();
    const facilityId = staffMember.roles[0].facilityId;
    const answer = await fetch(`/v1/contacts/${id}:send`, {
      method: "POST",
      headers: { "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
      body: JSON.stringify({ facilityId, text: "Hola" }),
    });
    return answer.ok && !(await answer.json()).waitsFor;
  }, id);
}
