/**
 * The one story (docs/a-story.md) in a browser, on a hub of its own whose clock it moves: the command plays a step, and waits; what
 * it says can be seen there is looked for, by the person who would.
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { DESK, looksRight, openBrowser, PHONE, shot, signIn } from "./browser.mjs";
import { playStory, startHub } from "./hub.mjs";

const HERS = "Barrera";
const SHOWN = { timeout: 30_000 };

describe("the story in the browser", { timeout: 1_500_000 }, () => {
  let hub;
  let browser;
  let story;
  let broke = false;
  const pages = new Map();

  before(async () => {
    hub = await startHub();
    browser = await openBrowser();
    story = playStory(hub);
  });
  after(async () => {
    story?.stop();
    await browser?.close();
    await hub?.stop();
  });

  /** The page of somebody who stays signed in through the whole story. */
  async function pageOf(account, path) {
    if (!pages.has(account)) pages.set(account, await signIn(browser, hub, account, { path }));
    else if (path) await pages.get(account).goto(`${hub.url}${path}`);
    return pages.get(account);
  }

  /** Where the story says that its step can be seen: opened by whom it names. */
  async function looked() {
    const [, url, account] = /→ (\S+) {3}as ([a-z0-9-]+):/.exec(await story.until("→ "));
    return pageOf(account, new URL(url).pathname);
  }

  /** A step: once one did not come true, the others are not played on. */
  function step(title, look) {
    test(title, async (t) => {
      if (broke) return t.skip("an earlier step did not come true");
      broke = true;
      try {
        await look();
        broke = false;
      } finally {
        for (const [account, page] of broke ? pages : []) await shot(page, `broke-${account}`);
      }
      story.goOn();
    });
  }

  const row = (page, title) =>
    page.locator("[role=row][data-task]", { hasText: HERS }).filter({ hasText: title });

  step("1. she is admitted and sent home: one record, one timeline", async () => {
    await pageOf("nurse", "/worklist?scope=team");
    const page = await looked();
    await page.getByRole("heading", { level: 1, name: `Consuelo ${HERS}` }).waitFor(SHOWN);
    await page.locator("ol li", { hasText: "Discharged home" }).waitFor(SHOWN);
    await page.locator("header", { hasText: "Spanish" }).first().waitFor();
    await looksRight(page);
  });

  step("2. her scores open to their terms", async () => {
    const page = await looked();
    const lace = page.locator("header details", { hasText: "LACE" });
    await lace.locator("summary").click(SHOWN);
    await lace.getByText("Length of stay:").waitFor();
  });

  step("3. the call came to the nurse's worklist by itself, and by when", async () => {
    const nurse = pages.get("nurse");
    const fresh = nurse.getByRole("button", { name: /new · show/ }).first();
    await fresh.click(SHOWN); // nobody reloads: it is said that there is something new
    await row(nurse, "Call the patient or caregiver").waitFor(SHOWN);
    const page = await looked();
    await row(page, "Call the patient or caregiver").waitFor(SHOWN);
    await looksRight(page);
    await shot(page, "story-worklist");
  });

  step("4. the plan: three organizations, a team with one coordinator, her own words", async () => {
    const page = await looked();
    const team = page.getByRole("list", { name: "Care team" });
    const first = team.getByRole("listitem").first();
    await first.getByText("Dolores Reyes").waitFor(SHOWN);
    assert.match(await first.textContent(), /Dolores Reyes\s*Coordinator/);
    assert.equal(await team.getByText("Coordinator", { exact: true }).count(), 1);
    for (const whose of ["Mercy Regional Health", "Valley Community Clinics", "Ridge Neighbors"]) {
      await page.getByRole("heading", { level: 4, name: whose }).waitFor(SHOWN);
    }
    await team.getByText("Ridge visitors").waitFor();
    await page.getByText("Volver a cuidar mis gallinas").waitFor();
    const wishes = page.getByRole("region", { name: "How to meet the patient" });
    for (const said of ["Spanish", "calls and texts", "from 09:00 until 20:00"]) {
      await wishes.getByText(said).waitFor();
    }
    await page.getByText(/^Signed .* by/).waitFor();
    await looksRight(page);
    await shot(page, "story-plan");
    await page.setViewportSize(PHONE);
    await looksRight(page);
    await shot(page, "story-plan-360");
    await page.setViewportSize(DESK);
  });

  step("5. her telephone has it in Spanish, and the thread went to the next one up", async () => {
    const page = await looked();
    await page.getByRole("button", { name: "Show 1 closed thread" }).click(SHOWN);
    await page.getByText("Weight at the last visit?").first().waitFor(SHOWN);
    await page.getByRole("link", { name: "The patient’s telephone" }).click();
    const log = page.getByRole("log");
    await log.locator("[lang=es]").getByText("su equipo de salud le llamará").waitFor(SHOWN);
    await looksRight(page);
    await shot(page, "story-telephone");
  });

  step("6. she does not come: a loop of its own asks why", async () => {
    const clinic = await looked();
    const visit = clinic.getByRole("button", { name: new RegExp(HERS) });
    await visit.getByText("Did not come").waitFor(SHOWN);
    story.goOn();
    const page = await looked();
    await page.getByRole("article", { name: "Missed visit" }).waitFor(SHOWN);
    await looksRight(page);
    await shot(page, "story-missed");
  });

  step("7. she answers, and the ride is on the social worker's worklist", async () => {
    const page = await looked();
    await row(page, "Arrange a ride").waitFor(SHOWN);
  });

  step("8. the drivers say yes on their page, which knows nothing of her before", async () => {
    const url = (await story.until("Their page: ")).replace(/.*Their page: /, "");
    const context = await browser.newContext({ viewport: PHONE, locale: "en-US" });
    const page = await context.newPage();
    page.complaints = [];
    await page.goto(url);
    const yes = page.getByRole("button", { name: "Yes, we can" });
    await yes.waitFor(SHOWN);
    assert.equal(await page.getByText("Consuelo").count(), 0);
    await looksRight(page);
    await shot(page, "story-asked");
    await yes.click();
    await page.getByText("Consuelo").first().waitFor(SHOWN);
    assert.equal(await page.getByText(HERS).count(), 0);
    await shot(page, "story-yes");
    await context.close();
    story.goOn();
    const worklist = await looked();
    await worklist.locator("h1").waitFor();
    await row(worklist, "Arrange a ride").waitFor({ state: "detached", ...SHOWN });
  });

  step("9. she comes: nothing of hers is open, and each loop says why", async () => {
    const page = await looked();
    await page.getByRole("heading", { name: "No open loop" }).waitFor(SHOWN);
    await page.getByRole("button", { name: "5 closed" }).click();
    for (const title of ["Discharge transition", "Missed visit", "Referral to a partner"]) {
      await page.getByRole("article", { name: title }).first().waitFor();
    }
    assert.equal(await page.getByText(/^Closed: /).count(), 5);
    await looksRight(page);
    await shot(page, "story-closed");
  });

  step("10. what was worked is counted", async () => {
    const page = await looked();
    await page.getByRole("heading", { name: "No open loop" }).waitFor(SHOWN);
  });

  step("11. each measure has her among its patients", async () => {
    const page = await looked();
    const card = page.getByRole("region", { name: "Seen within 7 days" });
    await card
      .getByRole("button", { name: /^[1-9]\d*$/ })
      .first()
      .click(SHOWN);
    const pane = page.getByRole("complementary", { name: "Seen within 7 days" });
    await pane.getByRole("listitem").filter({ hasText: HERS }).waitFor(SHOWN);
    await looksRight(page);
    await shot(page, "story-measures");
  });

  test("and then it is over, in less than five minutes", async (t) => {
    if (broke) return t.skip("a step did not come true");
    const line = await story.until("That was the whole story");
    assert(Number(/in (\d+) seconds/.exec(line)[1]) < 300, line);
  });
});
