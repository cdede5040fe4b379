/** Stories of the patient: who has looked at my record, and who opened it in an emergency. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DESK, looksRight, PHONE, shot, signIn } from "./browser.mjs";

const MOST_BYTES = 200_000;
const FAMILY = "Ejemplo";

/** What somebody of staff does on their own pages. */
const asked = (page, method, path, body, headers = {}) =>
  page.evaluate(
    async ([method, path, body, headers]) => {
      const answer = await fetch(path, {
        method,
        headers: { "content-type": "application/json", ...headers },
        body: body && JSON.stringify(body),
      });
      return [answer.status, await answer.json()];
    },
    [method, path, body, headers],
  );

export function own(world) {
  const open = (account, path, options = {}) =>
    signIn(world.browser, world.hub, account, { path, ...options });

  /** A nurse of Mercy looks at the demo's patient; one of Pine Creek opens the record in an emergency. */
  async function lookedAt() {
    const nurse = await open("nurse", "/worklist");
    const [, { patients }] = await asked(nurse, "POST", "/v1/patients:search", { text: FAMILY });
    const { id } = patients.find(({ names }) => names[0].given[0] === "Marisol");
    await asked(nurse, "GET", `/v1/patients/${id}`);
    await nurse.context().close();
    const rural = await open("rural-nurse", "/worklist");
    const step = `${world.hub.url}/signin?next=/worklist&acr=2&max_age=60`;
    await rural.goto(step);
    await rural.click("button[name=account][value=rural-nurse]");
    await rural.waitForURL(/worklist/);
    const [, me] = await asked(rural, "GET", "/v1/me");
    const [status] = await asked(rural, "POST", "/v1/break-glass", {
      patientId: id,
      facilityId: me.facilityIds[0],
      reason: "REASON_UNABLE_TO_CONSENT",
      reasonText: "Brought in unconscious, no papers",
    });
    assert.equal(status, 200);
    await asked(rural, "GET", `/v1/patients/${id}`, undefined, { "X-Purpose": "EMERGENCY" });
    await rural.context().close();
  }

  describe("the patient's own page", () => {
    test("says who has looked and who opened it in an emergency, in their language", async () => {
      await lookedAt();
      // Spanish is the language of the record, whatever the browser speaks.
      const page = await open("patient", "/my", { viewport: PHONE });
      await page.getByRole("heading", { level: 1, name: "Quién ha visto mi expediente" }).waitFor();
      const emergency = page.getByRole("region", { name: "Acceso de emergencia" });
      await emergency.getByText("Joe Redfeather, en Pine Creek Rural Health").waitFor();
      await emergency.getByText("no se le podía preguntar").waitFor();
      await emergency.getByText("todavía no lo ha revisado").waitFor();
      assert.equal(await page.getByText("Brought in unconscious").count(), 0, "words of staff");
      const looks = page.getByRole("region", { name: "Día por día" }).getByRole("listitem");
      const nadia = looks.filter({ hasText: "Nadia Haddad" });
      await nadia.getByText("Enfermería").waitFor();
      await nadia.getByText("Mercy Regional Hospital").waitFor();
      await nadia.getByText("para dar atención").waitFor();
      await looks.filter({ hasText: "Joe Redfeather" }).getByText("en una emergencia").waitFor();
      await looks.filter({ hasText: "Usted" }).first().waitFor();
      await looksRight(page);
      await shot(page, "own-es-360");
      assert(!page.url().includes(FAMILY));
      assert.equal(await page.title(), "CareHub");

      await page.getByRole("button", { name: "English" }).click();
      await page.getByRole("heading", { level: 1, name: "Who has looked at my record" }).waitFor();
      await page.reload();
      await page.getByRole("heading", { level: 1, name: "Who has looked at my record" }).waitFor();
      await page.getByText("A privacy officer has not looked at it yet.").waitFor();
      await looksRight(page);
      await shot(page, "own-en-360");
      await page.context().close();
    });

    for (const colorScheme of ["light", "dark"]) {
      test(`on a desk, ${colorScheme}, by keyboard`, async () => {
        const page = await open("patient", "/my", { viewport: DESK, colorScheme });
        await page.getByRole("heading", { level: 2 }).first().waitFor();
        await page.keyboard.press("Tab");
        await page.keyboard.press("Enter");
        await page.getByRole("heading", { level: 1, name: "Who has looked" }).waitFor();
        await looksRight(page);
        await shot(page, `own-${colorScheme}`);
        await page.context().close();
      });
    }

    test("loads little", async () => {
      const page = await open("patient", "/my");
      await page.getByRole("heading", { level: 2 }).first().waitFor();
      const bytes = await page.evaluate(() =>
        [
          ...performance.getEntriesByType("navigation"),
          ...performance.getEntriesByType("resource").filter(({ name }) => !name.includes("/v1/")),
        ].reduce((sum, { transferSize }) => sum + transferSize, 0),
      );
      assert(bytes > 10_000 && bytes <= MOST_BYTES, `${bytes} bytes`);
      await page.context().close();
    });

    test("asks for a sign-in, and says so where no record is linked", async () => {
      const stranger = await world.browser.newPage({ locale: "en-US" });
      stranger.complaints = [];
      await stranger.goto(`${world.hub.url}/my`);
      await stranger.getByRole("link", { name: "Sign in" }).waitFor();
      await looksRight(stranger);
      await stranger.close();
      const nurse = await open("nurse", "/my");
      await nurse.getByRole("heading", { name: "No record is linked" }).waitFor();
      assert.equal(await nurse.getByText("someone in this list").count(), 0, "there is no list");
      await looksRight(nurse);
      await nurse.context().close();
    });

    test("is where a patient is led who comes to the pages of staff", async () => {
      const page = await open("patient", "/", { viewport: PHONE });
      await page.getByRole("heading", { name: "These pages are for staff" }).waitFor();
      await looksRight(page);
      await page.getByRole("link", { name: "Open my page" }).click();
      await page.getByRole("heading", { level: 1, name: "Quién ha visto mi expediente" }).waitFor();
      await page.context().close();
    });
  });
}
