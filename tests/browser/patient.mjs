/** Stories of the patient's page and of finding somebody. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DESK, looksRight, PHONE, shot, signIn } from "./browser.mjs";
import { idOf, oru, send, sentHome, somebody, until } from "./hub.mjs";

const DAY_MS = 86_400_000;

async function find(page, text) {
  await page.keyboard.press("Control+k");
  const field = page.getByRole("dialog").getByRole("combobox");
  await field.fill(text);
  const option = page.getByRole("dialog").getByRole("option", { name: text }).first();
  await until(async () => {
    await field.fill("");
    await field.fill(text);
    return option.waitFor({ timeout: 1_000 }).then(
      () => true,
      () => false,
    );
  }, 30_000);
  await page.keyboard.press("Enter");
  await page.waitForURL(/\/patients\/[0-9a-f-]{36}$/);
}

export function patient(world) {
  describe("patient", () => {
    test("somebody is found by key, and shown on one timeline with the open loop", async () => {
      const person = somebody("Máire Bríd", "Przykład", { language: "es" });
      await sentHome(world.hub, person, 2);
      const page = await signIn(world.browser, world.hub, "coordinator");
      const asked = [];
      page.on("request", (request) => asked.push(decodeURIComponent(request.url())));
      await page.locator("h1").waitFor();
      await find(page, person.family);
      await page.getByRole("heading", { level: 1, name: `Máire Bríd ${person.family}` }).waitFor();
      await page.locator("header", { hasText: "Spanish" }).waitFor();
      const entries = page.locator("ol li");
      await page.locator("ol li", { hasText: "Now ·" }).waitFor();
      await until(async () => (await entries.count()) > 5, 20_000);
      const texts = await entries.allInnerTexts();
      const now = texts.findIndex((text) => text.includes("Now ·"));
      const at = (text) => texts.findIndex((each) => each.includes(text));
      assert(at("Look back on the thirty days") < now, "the future is above now");
      assert(
        at("Discharged home") > now && at("Admitted") > at("Discharged home"),
        "the past is below",
      );
      const loop = page.getByRole("article", { name: "Discharge transition" });
      await loop.locator("text=Next step").waitFor();
      assert.equal(await page.title(), "Patient · CareHub");
      assert(!asked.some((url) => /przyk/i.test(url)), "no name in any address");
      await loop.getByRole("link", { name: "Open the step" }).click();
      await page.waitForURL(/\/worklist\?.*task=/);
      await page.locator("aside", { hasText: person.family }).waitFor();
      await page.context().close();
    });

    for (const [viewport, locale, words] of [
      [DESK, "en-US", { gap: /^Results are shown from/, show: "Show older results" }],
      [PHONE, "es-US", { gap: /^Los resultados se/, show: "Mostrar resultados anteriores" }],
    ]) {
      test(`where older results are missing the timeline says so, at ${viewport.width} px`, async () => {
        const person = somebody("Ida", "Mitlaborwerten");
        await sentHome(world.hub, person, 2);
        for (const days of [9, 6, 3]) {
          await send(world.hub, oru(person, new Date(Date.now() - days * DAY_MS), `4.${days}`));
        }
        const page = await signIn(world.browser, world.hub, "coordinator", { viewport, locale });
        await page.route(/\/(observations|tasks|loops)\?.*pageSize=500/, (route) => {
          const url = new URL(route.request().url());
          url.searchParams.set("pageSize", "2");
          return route.continue({ url: url.href });
        });
        await page.goto(`${world.hub.url}/patients/${await idOf(page, person.family)}`);
        const results = page.locator("ol li[data-what=results]");
        const gap = page.locator("ol li").filter({ has: page.getByText(words.gap) });
        await gap.waitFor({ timeout: 30_000 });
        assert.equal(await results.count(), 2);
        const said = await page.locator("ol li").allInnerTexts();
        const at = (text) => said.findIndex((each) => each.match(text));
        assert(at("4[.]3") < at("4[.]6") && at("4[.]6") < at(words.gap), "below the oldest");
        // Of what is open nothing is missing, on however many pages it comes.
        assert(at("Look back on the thirty days") >= 0, "the step that is due last");
        await looksRight(page);
        await shot(page, `timeline-older-${viewport.width}`);
        await gap.getByRole("button", { name: words.show }).focus();
        await page.keyboard.press("Enter");
        await results.filter({ hasText: "4.9" }).waitFor();
        assert.equal(await results.count(), 3);
        assert.equal(await gap.count(), 0);
        await page.context().close();
      });
    }

    test("a patient who is not there and one who may not be seen are one page", async () => {
      const path = "/patients/00000000-0000-7000-8000-000000000000";
      const page = await signIn(world.browser, world.hub, "nurse", { path });
      await page.getByRole("heading", { level: 1, name: "We can’t show this page" }).waitFor();
      await page.context().close();
    });
  });
}
