/** Stories of what could be billed: why not yet, what a physician says, and the packet that shows it. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { DESK, isThere, looksRight, PHONE, shot, signIn } from "./browser.mjs";
import { adt, atMercy, call, daysAgo, idOf, send, sentHome, somebody, until } from "./hub.mjs";

const MINUTE = 60_000;

export function claims(world) {
  const button = (page, name) => page.getByRole("button", { name, exact: true });
  const open = (account, options = {}) =>
    signIn(world.browser, world.hub, account, { path: "/claims", ...options });

  /** What a transition needs: a call in time, the medicines, and a visit, each as it really comes. */
  async function done(nurse, patientId, person) {
    const ofPatient = `patientId=${patientId}`;
    const steps = async () => (await call(nurse, "GET", `/v1/tasks?${ofPatient}`)).tasks ?? [];
    await until(async () => (await steps()).some(({ step }) => step === "contact"), 30_000);
    const contact = (await steps()).find(({ step }) => step === "contact");
    await call(nurse, "POST", `/v1/tasks/${contact.id}:recordAttempt`, {
      result: "RESULT_REACHED",
      channel: "phone",
      timeSpent: { minutes: 12 },
    });
    const { loops } = await call(nurse, "GET", `/v1/loops?${ofPatient}`);
    const { encounterId } = loops.find(({ protocol }) => protocol === "discharge-transition");
    await reconciled(nurse, encounterId);
    const visit = adt(
      "A04",
      { ...person, visit: `${person.visit}O` },
      { admit: atMercy(new Date(Date.now() - MINUTE)) },
    );
    await send(world.hub, visit.replace("PV1|1|I|", "PV1|1|O|"));
  }

  describe("billing", () => {
    test("why not yet, a physician's word, and the code with everything that shows it", async () => {
      const person = somebody("Marisol", "Cobro", { language: "es" });
      await sentHome(world.hub, person, 1);
      const nurse = await signIn(world.browser, world.hub, "nurse");
      const id = await idOf(nurse, person.family);
      const page = await open("physician", { viewport: DESK });
      const row = page.getByRole("button", { name: new RegExp(person.family) });
      await until(async () => {
        await page.reload();
        await page.getByRole("heading", { level: 1, name: "Billing" }).waitFor();
        return await isThere(row);
      }, 30_000);
      await row.getByText("Not yet").waitFor();
      await row.focus();
      await page.keyboard.press("Enter");
      const pane = page.getByRole("complementary", { name: "What it stands on" });
      await pane.getByText("The visit is still to come.").waitFor();
      await pane.getByText("Nobody has written down minutes").waitFor();
      await shot(page, "claims-waiting");
      await looksRight(page);

      await done(nurse, id, person);
      await pane.getByText("A physician has to say how hard the decisions were.").waitFor();
      const toCome = pane.getByText("The visit is still to come.");
      await toCome.waitFor({ state: "hidden", timeout: 60_000 });
      await button(pane, "Say how hard they were").click();
      await pane.getByLabel("Hard (high)").check();
      await looksRight(page);
      await button(pane, "Save the decision").click();
      await pane.getByText("99496 can be billed").waitFor();
      await pane.getByText("the higher one", { exact: false }).waitFor();
      await pane.getByText("Contact with the patient or a caregiver").waitFor();
      await pane.getByText("12 minutes · Call").waitFor();
      await shot(page, "claims");
      await looksRight(page);
      await button(pane, "Say otherwise").click();
      await pane.getByLabel("Moderate").check();
      await button(pane, "Save the decision").click();
      await pane.getByText("99495 can be billed").waitFor();
      await page.context().close();
      await nurse.context().close();

      const coordinator = await open("coordinator", { viewport: PHONE, locale: "es-US" });
      const there = coordinator.getByRole("button", { name: new RegExp(person.family) });
      await there.getByText("Se puede facturar 99495").waitFor();
      await shot(coordinator, "claims-es-360");
      await looksRight(coordinator);
      await there.click();
      await coordinator.getByText("Las decisiones fueron moderadas.").waitFor();
      assert.equal(await button(coordinator, "Decir otra cosa").count(), 0);
      await shot(coordinator, "claims-packet-es-360");
      await looksRight(coordinator);
      await coordinator.context().close();
    });

    test("chronic care: what a month's minutes are enough for", async () => {
      const person = somebody("Rosario", "Cronica");
      await sentHome(world.hub, person, 3);
      // Somebody else than in the story above: nobody works twice at a time.
      const nurse = await signIn(world.browser, world.hub, "nurse2");
      const patientId = await idOf(nurse, person.family);
      const { facilityIds } = await call(nurse, "GET", `/v1/patients/${patientId}`);
      const end = inOneMonth(Date.now() - MINUTE, 25);
      const at = (ago) => new Date(end - ago * MINUTE).toISOString();
      await call(nurse, "POST", "/v1/timeEntries", {
        facilityId: facilityIds[0],
        patientId,
        program: "ccm",
        activity: "care_plan",
        startTime: at(25),
        endTime: at(0),
      });
      await nurse.context().close();
      const page = await open("coordinator");
      const row = page.getByRole("button", { name: new RegExp(person.family) });
      const more = button(page, "Show more");
      // The newest come first, and others have been sent home since.
      await until(async () => {
        await row.or(more).first().waitFor();
        if (await isThere(row)) return true;
        if (await more.isVisible()) await more.click();
        return false;
      }, 60_000);
      await row.click();
      await page
        .getByRole("row", { name: /Chronic care/ })
        .getByText("enough for 99490")
        .waitFor();
      await looksRight(page);
      await page.context().close();
    });

    test("who may not see what is billed sees no page and no way there", async () => {
      const page = await open("nurse");
      await page.getByRole("heading", { name: "We can’t show this page" }).waitFor();
      assert.equal(await page.getByRole("link", { name: "Billing" }).count(), 0);
      await page.context().close();
    });
  });

  describe("medicines that were signed before", () => {
    test("a signature from before the discharge stays said when it is opened anew", async () => {
      const person = somebody("Imelda", "Firma");
      const admit = daysAgo(4);
      await send(world.hub, adt("A01", person, { admit }));
      const page = await signIn(world.browser, world.hub, "nurse");
      const id = await idOf(page, person.family);
      const { encounters } = await call(page, "GET", `/v1/patients/${id}/encounters`);
      const encounterId = encounters[0].id;
      await reconciled(page, encounterId);
      // Minutes are all that a message says: the next but one is later than the signature.
      const discharge = atMercy(new Date(Date.now() + 2 * MINUTE));
      await send(world.hub, adt("A03", person, { admit, discharge }));
      const opened = { encounterId };
      await until(async () => {
        const { state } = await call(page, "POST", "/v1/reconciliations", opened);
        return state === "STATE_OPEN";
      }, 30_000);
      await page.goto(`${world.hub.url}/patients/${id}/plan`);
      await page.getByText(/Signed before the patient left: .*Nadia Haddad/).waitFor();
      await shot(page, "medicines-signed-before");
      await looksRight(page);
      await page.context().close();
    });
  });
}

/** The end of so many minutes of work: of a month that has just begun there are not so many yet, so they are the last one's. */
function inOneMonth(end, minutes) {
  const month = (at) => atMercy(new Date(at)).slice(0, 6);
  const begin = end - minutes * MINUTE;
  return month(begin) === month(end) ? end : begin;
}

/** Both lists entered, compared and signed. */
async function reconciled(page, encounterId) {
  const text = "Lisinopril 10 mg daily";
  const enter = (side) =>
    call(page, "POST", "/v1/medicineLists", { encounterId, side, text, source: "list" });
  let entered = false;
  await until(async () => {
    entered = await enter("SIDE_BEFORE").then(
      () => true,
      () => false, // the stay is not known there yet
    );
    return entered;
  }, 30_000);
  await enter("SIDE_AFTER");
  const { id } = await call(page, "POST", "/v1/reconciliations", { encounterId });
  const kept = await call(page, "POST", `/v1/reconciliations/${id}:keepSame`, {});
  await call(page, "POST", `/v1/reconciliations/${id}:sign`, { etag: kept.etag });
}
