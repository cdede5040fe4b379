/** Stories of the care plan, and of the medicines before and after a stay, with the keyboard alone. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DESK, looksRight, PHONE, signIn } from "./browser.mjs";
import { idOf, sentHome, somebody } from "./hub.mjs";

const HOME = "Furosemide 20 mg once a day\nLisinopril 10 mg daily\nAtorvastatin 40 mg qhs";
const HOSPITAL =
  "Furosemide 40 mg twice a day\nSacubitril/valsartan 24/26 mg BID\nAtorvastatin 40 mg at bedtime";

export function careplans(world) {
  async function aPlan(given) {
    const person = somebody(given, "Plano", { language: "es" });
    await sentHome(world.hub, person, 2);
    const page = await signIn(world.browser, world.hub, "nurse");
    const id = await idOf(page, person.family);
    await page.goto(`${world.hub.url}/patients/${id}`);
    await page.getByRole("link", { name: "Plan and medicines" }).click();
    await page.waitForURL(/\/plan$/);
    await page.getByRole("heading", { level: 2, name: "From hospital to home" }).waitFor();
    return page;
  }

  describe("care plan", () => {
    test("a discharge opens one, and the patient's own goal stands first, in her words", async () => {
      const page = await aPlan("Marisol");
      const goals = page.getByRole("list", { name: "Goals" });
      await goals.getByText("Stay at home, and out of hospital").waitFor();
      await page.getByText("Call the patient or caregiver").waitFor();
      await page.getByRole("button", { name: "Goal", exact: true }).click();
      const dialog = page.getByRole("dialog");
      await dialog.getByLabel("own words").fill("Caminar a la iglesia sin parar");
      await dialog.getByLabel("How one sees").fill("Asked every Monday");
      await dialog.getByLabel("By when").fill("2031-10-03");
      await looksRight(page);
      await dialog.getByRole("button", { name: "Add the goal" }).click();
      await dialog.waitFor({ state: "detached" });
      const first = goals.getByRole("listitem").first();
      await first.getByText("Caminar a la iglesia sin parar").waitFor();
      assert.equal(await first.locator("[lang=es]").count(), 1);
      await looksRight(page);
      await page.setViewportSize(PHONE);
      await looksRight(page);
      assert.equal(await page.title(), "Care plan · CareHub");
      await page.context().close();
    });

    test("medicines are decided with four keys, and signed when none is left", async () => {
      const page = await aPlan("Rosario");
      await page.getByRole("textbox", { name: "Before the stay" }).fill(HOME);
      await page.getByRole("textbox", { name: "After the stay" }).fill(HOSPITAL);
      await page.getByRole("button", { name: "Compare" }).click();
      const groups = page.getByRole("group").filter({ has: page.locator("legend") });
      await groups.first().getByText("Different").waitFor();
      const waits = (count) =>
        page.getByRole("button", { name: `Sign · ${count} to decide` }).waitFor();
      await waits(4);
      assert(await page.getByRole("button", { name: "Sign ·" }).isDisabled());
      await page.keyboard.press("j");
      await page.keyboard.press("2");
      await waits(3);
      await page.keyboard.press("4");
      const dialog = page.getByRole("dialog", { name: "Ask about Sacubitril/valsartan" });
      await dialog.getByLabel("Until when").fill("2031-09-10T17:00");
      await dialog.getByLabel("What to ask").fill("Not together with lisinopril?");
      await looksRight(page);
      await dialog.getByRole("button", { name: "Ask", exact: true }).click();
      await dialog.waitFor({ state: "hidden" });
      await waits(2);
      // Until five at the hospital, whatever the clock of the browser says.
      await page.getByText(/17:00.*Not together with lisinopril\?/).waitFor();
      await page.keyboard.press("j");
      await page.keyboard.press("3");
      await waits(1);
      await looksRight(page);
      await page.reload();
      await waits(1);
      await page.getByRole("button", { name: "Keep all 1" }).click();
      await page.getByRole("button", { name: "Sign", exact: true }).click();
      await page.getByText(/^Signed Today by/).waitFor();
      await page.getByRole("button", { name: "Answer" }).click();
      await page.getByRole("dialog").getByRole("button", { name: "Save the answer" }).click();
      await page.getByText("Answered: Continue").waitFor();
      await page.setViewportSize(PHONE);
      await looksRight(page);
      await page.setViewportSize(DESK);
      await page.context().close();
    });
  });
}
