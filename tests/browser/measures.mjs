/** Stories of measures: every number opens to its patients, its definition is there for everybody, risk opens to its terms. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DESK, looksRight, PHONE, shot, signIn } from "./browser.mjs";
import { call, idOf, oru, send, sentHome, somebody, until } from "./hub.mjs";

const MINUTE_MS = 60_000;

export function measures(world) {
  const open = (account, options = {}) =>
    signIn(world.browser, world.hub, account, { path: "/measures", ...options });

  describe("measures", () => {
    test("a number opens to its patients by keyboard, and a patient to the terms of the risk", async () => {
      const person = somebody("Ana", "Medida");
      await sentHome(world.hub, person, 20);
      const page = await open("coordinator", { viewport: DESK });
      const card = page.getByRole("region", { name: "Seen within 14 days" });
      const all = card.getByRole("button", { name: /^\d+$/ });
      await until(async () => {
        await page.reload();
        await card.waitFor();
        return Number(await all.textContent()) > 0;
      }, 30_000);
      await card.getByRole("button", { name: "What “Seen within 14 days” means" }).focus();
      await card.getByRole("tooltip").waitFor();
      await card.getByRole("button", { name: "Show as a table" }).click();
      await card.getByRole("columnheader", { name: "Normal swing" }).waitFor();
      await all.focus();
      await page.keyboard.press("Enter");
      const pane = page.getByRole("complementary", { name: "Seen within 14 days" });
      await pane.getByText("CPT 99495").waitFor();
      // Whose two weeks are over is behind all who still have time.
      await pane.getByText(/^Not met \d/).click();
      const row = pane.getByRole("listitem").filter({ hasText: person.family });
      await row.getByText("no visit").waitFor();
      await looksRight(page);
      await shot(page, "measures");
      await row.getByRole("link").click();
      await page.waitForURL(/\/patients\//);
      const lace = page.locator("header details", { hasText: "LACE" });
      await lace.getByText(/partial: \d items? (is|are) not known/).waitFor();
      await lace.locator("summary").focus();
      await page.keyboard.press("Enter");
      await lace.getByText("Length of stay:").waitFor();
      await lace.getByText("Other conditions: not known, no points").waitFor();
      await looksRight(page);
      await shot(page, "risk");
      await page.context().close();
    });

    for (const [viewport, locale, name] of [
      [DESK, "en-US", "measures-two-years"],
      [PHONE, "es-US", "measures-two-years-es-360"],
    ]) {
      test(`two years say what chance does not explain, at ${viewport.width} px`, async () => {
        const page = await open("coordinator", { viewport, locale, path: "/worklist" });
        await page.route("**/v1/measures?*", answerTwoYears);
        await page.route("**/v1/measures", answerTwoYears);
        await page.goto(`${world.hub.url}/measures`);
        const cards = page.getByRole("region");
        const [week, again] = [cards.nth(0), cards.nth(1)];
        await week.getByText(locale === "en-US" ? "Improving" : "Mejora").waitFor();
        await again.getByText(locale === "en-US" ? "Getting worse" : "Empeora").waitFor();
        assert.equal(await week.locator("[data-mark=better]").count(), 3);
        assert.equal(await again.locator("[data-mark=worse]").count(), 1);
        await looksRight(page);
        await shot(page, name);
        await page.context().close();
      });
    }

    test("critical results say how many were read back in time, how long it took, and whose they are", async () => {
      const [quick, waiting] = [somebody("Ana", "Pronta"), somebody("Eva", "Nadie")];
      for (const person of [quick, waiting]) await sentHome(world.hub, person, 20);
      const verified = new Date(Date.now() - 90 * MINUTE_MS);
      await send(world.hub, oru(quick, verified, "6.8", "HH"), oru(waiting, verified, "6.9", "HH"));
      const nurse = await open("nurse");
      await readBack(nurse, quick, new Date(verified.getTime() + 10 * MINUTE_MS));
      await nurse.context().close();
      const page = await open("coordinator", { viewport: DESK });
      const title = "Critical result read back in 60 minutes";
      const card = page.getByRole("region", { name: title });
      await until(async () => {
        await page.reload();
        await card.waitFor();
        return Number(await card.getByRole("button", { name: /^\d+$/ }).textContent()) >= 2;
      }, 30_000);
      await card.getByText(/^Half (took at most|of them)|^Fewer than half/).waitFor();
      await card.getByRole("button", { name: /^\d+$/ }).click();
      const pane = page.getByRole("complementary", { name: title });
      const row = (person) => pane.getByRole("listitem").filter({ hasText: person.family });
      await row(quick).getByText("read back, after 10 min").waitFor();
      await row(waiting).getByText("nobody read it back").waitFor();
      await pane.getByText("42 CFR 493.1291(g)").waitFor();
      await looksRight(page);
      await shot(page, "critical-results");
      await page.context().close();
      const phone = await open("coordinator", { viewport: PHONE, locale: "es-US" });
      const spanish = phone.getByRole("region", { name: /^Resultado crítico confirmado/ });
      await spanish.getByText(/^La mitad tardó como mucho|^Menos de la mitad/).waitFor();
      await looksRight(phone);
      await shot(phone, "critical-results-es-360");
      await phone.context().close();
    });

    test("on a phone, in Spanish", async () => {
      const page = await open("coordinator", { viewport: PHONE, locale: "es-US" });
      await page.getByRole("heading", { name: "Consulta en 14 días" }).waitFor();
      await looksRight(page);
      await shot(page, "measures-es-360");
      await page.context().close();
    });

    test("who counts sees numbers that open to nobody", async () => {
      const page = await open("admin", { viewport: DESK });
      const card = page.getByRole("region", { name: "Seen within 14 days" });
      await card.getByText(/\d+ of \d+/).waitFor();
      assert.equal(await card.getByRole("button", { name: /^\d+( met)?$/ }).count(), 0);
      await looksRight(page);
      await page.context().close();
    });
  });
}

/** The clinician read it back then; who was told, a nurse writes down. */
async function readBack(page, person, time) {
  const patientId = await idOf(page, person.family);
  const tasks = () => call(page, "GET", `/v1/tasks?patientId=${patientId}`);
  const found = async () => (await tasks()).tasks.find(({ step }) => step === "acknowledge");
  await until(found, 30_000);
  await call(page, "POST", `/v1/tasks/${(await found()).id}:complete`, {
    outcome: "read_back",
    readBack: { toldName: "Dr. A. Quill, hospitalist", time: time.toISOString() },
  });
}

/** Two measures over 24 months: one that has been better for the last three, one with a last month far above. */
function answerTwoYears(route) {
  const swing = (at) => [58, 55, 61, 57, 54, 60][at % 6];
  const months = (share) =>
    Array.from({ length: 24 }, (_, at) => ({
      month: { year: 2024 + Math.floor((at + 8) / 12), month: ((at + 8) % 12) + 1, day: 1 },
      rate: rateOf(share(at), 100),
    }));
  const measure = (key, better, share) => {
    const all = months(share);
    const numerator = all.reduce((sum, { rate }) => sum + rate.numerator, 0);
    const about = {
      title: key,
      definition: key,
      version: "2026.1",
      source: "Invented",
      unit: "discharge",
    };
    return { key, better, ...about, rate: rateOf(numerator, 2400), months: all };
  };
  return route.fulfill({
    json: {
      measures: [
        measure("follow-up-7-days", "BETTER_MORE", (at) => (at < 21 ? swing(at) : 76)),
        measure("readmission-30-days", "BETTER_LESS", (at) => (at < 23 ? swing(at) - 42 : 34)),
      ],
      nextPageToken: "",
    },
  });
}

function rateOf(numerator, denominator) {
  const value = numerator / denominator;
  const around = { low: value - 0.02, high: value + 0.02 };
  return { numerator, denominator, value, ...around, pending: 0, excluded: 0, isSmall: false };
}
