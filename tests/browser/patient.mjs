/** Stories of the patient's page and of finding somebody. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { signIn } from "./browser.mjs";
import { sentHome, somebody, until } from "./hub.mjs";

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

    test("a patient who is not there and one who may not be seen are one page", async () => {
      const path = "/patients/00000000-0000-7000-8000-000000000000";
      const page = await signIn(world.browser, world.hub, "nurse", { path });
      await page.getByRole("heading", { level: 1, name: "We can’t show this page" }).waitFor();
      await page.context().close();
    });
  });
}
