/** Stories of those who run the network: feeds, protocols, staff and teams, operations. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { looksRight, PHONE, signIn } from "./browser.mjs";
import { adt, daysAgo, send, sentHome, somebody } from "./hub.mjs";

const toast = (page, text) => page.locator("[aria-live=polite]", { hasText: text });
const dialog = (page) => page.getByRole("dialog");
const button = (place, name) => place.getByRole("button", { name });

/** Sets which gap is normal for a feed, as whoever looks after it, and loads the page anew. */
async function silentAfter(page, name, silenceAfter) {
  const status = await page.evaluate(
    async ({ name, silenceAfter }) => {
      const { feeds } = await (await fetch("/v1/feeds")).json();
      const { id } = feeds.find((feed) => feed.name === name);
      const answer = await fetch(`/v1/feeds/${id}?updateMask=silenceAfter`, {
        method: "PATCH",
        headers: { "content-type": "application/json", "idempotency-key": crypto.randomUUID() },
        body: JSON.stringify({ silenceAfter }),
      });
      return answer.status;
    },
    { name, silenceAfter },
  );
  assert.equal(status, 200);
  await page.reload();
}

export function network(world) {
  const open = (account, path, options = {}) =>
    signIn(world.browser, world.hub, account, { path, ...options });

  describe("feeds", () => {
    test("a code that is not known is mapped, and what was set aside goes through", async () => {
      const person = somebody("Ward", "Code");
      const code = `QX${Date.now() % 100_000}`;
      const admit = daysAgo(1);
      const message = adt("A01", person, { admit }).replace("PV1|1|I|", `PV1|1|${code}|`);
      await send(world.hub, message);
      const page = await open("integration", "/feeds");
      await page.getByText("Adds up").waitFor();
      const group = page
        .getByRole("listitem")
        .filter({ hasText: "Mercy ADT" })
        .filter({ hasText: "A visit class" });
      await button(group, "Map the class…").click();
      await page.locator(`[role=dialog] input[value="${code}"]`).waitFor();
      await looksRight(page);
      await dialog(page).getByRole("combobox").selectOption("I");
      await button(dialog(page), `Map ${code}`).click();
      await toast(page, "Replay what is set aside").waitFor();
      await button(group, /^Replay/).click();
      await toast(page, "went through").waitFor();
      await page.getByText("Adds up").waitFor();
      await page.context().close();
    });

    test("a pasted message is explained, and nothing is stored", async () => {
      const page = await open("operator", "/feeds");
      const stored = page.getByText("Stored", { exact: true }).first().locator("..");
      const before = await stored.textContent();
      await page.getByLabel("Example").selectOption("class");
      await page.getByLabel("HL7 v2 message").press("Control+Enter");
      await page.getByText("a class that is neither in HL7 table 0004").first().waitFor();
      await page.getByText("What CareHub would do").waitFor();
      await page.getByLabel("HL7 v2 message").fill("not a message");
      await page.getByText("The text has changed since").waitFor();
      await button(page, /^Explain/).click();
      await page
        .getByText(/would be refused/i)
        .first()
        .waitFor();
      await page.reload();
      await page.getByText("Adds up").waitFor();
      assert.equal(await stored.textContent(), before);
      await page.context().close();
    });

    test("a feed is paused and heard again, on a phone", async () => {
      const page = await open("admin", "/feeds", { viewport: PHONE });
      await button(page, /Pine Creek ADT/).click();
      await looksRight(page);
      await button(page, "Pause this feed").click();
      await looksRight(page);
      await button(dialog(page), "Pause it").click();
      await toast(page, "is paused").waitFor();
      await button(page, "Hear this feed again").click();
      await toast(page, "is heard again").waitFor();
      await page.context().close();
    });

    test("a silence says who is told, and is muted with a reason", async () => {
      const page = await open("integration", "/feeds");
      await page
        .getByRole("img", { name: /in the last 24 hours/ })
        .first()
        .waitFor();
      await silentAfter(page, "Valley ADT", "60s");
      const alarm = page.locator("[data-is-muted]").filter({ hasText: "Nothing" });
      // On a hub that has just started the feed is not yet old enough to be silent.
      await alarm
        .getByText(/Whoever connects systems is told|Told by e-mail|Nobody was told/)
        .waitFor({ timeout: 80_000 });
      await looksRight(page);
      await button(alarm, "Mute…").click();
      await button(dialog(page), /^Mute for/).click();
      await dialog(page).getByText("Say why").waitFor();
      await looksRight(page);
      await dialog(page).getByLabel("For how long").selectOption("24");
      await dialog(page).getByLabel("Why").fill("Their system is upgraded");
      await button(dialog(page), "Mute for 1 day").click();
      await toast(page, "Valley ADT is muted for 1 day").waitFor();
      await alarm.getByText(/Muted until .* by .*Their system is upgraded/).waitFor();
      await looksRight(page);
      await button(alarm, "Sound again").click();
      await toast(page, "sounds again").waitFor();
      await silentAfter(page, "Valley ADT", "7200s");
      await page.context().close();
    });

    test("who may not read messages does not see what they say", async () => {
      await send(world.hub, adt("A01", somebody("Quiet", "Raw"), { admit: daysAgo(1) }));
      const page = await open("operator", "/feeds?state=applied");
      await page
        .getByRole("link", { name: /open message/ })
        .first()
        .click();
      await dialog(page).getByText("can be read only by who may read messages").waitFor();
      assert.equal(await dialog(page).locator("pre").count(), 0);
      await looksRight(page);
      await page.keyboard.press("Escape");
      await dialog(page).waitFor({ state: "detached" });
      await page.context().close();
    });
  });

  describe("protocols", () => {
    test("a step says who, by when, and what never counts", async () => {
      const page = await open("nurse", "/protocols");
      await page.getByRole("link", { name: "Discharge transition" }).click();
      const picture = page.getByRole("region", { name: "Who does what, and by when" });
      await button(picture, /Call the patient or caregiver/).click();
      const step = page.getByRole("region", { name: "Call the patient or caregiver" });
      await step.getByText("A voicemail, a letter, an automatic text").waitFor();
      await step.getByText("By the end of business day 2 after the discharge").waitFor();
      await looksRight(page);
      await page.getByRole("button", { name: "Text", exact: true }).click();
      await page.getByText("Only who may publish protocols can change it.").waitFor();
      await page.context().close();
    });

    test("a dry run says which days do not count, and what to look at", async () => {
      const page = await open("coordinator", "/protocols/discharge-transition");
      const panel = page.getByRole("region", { name: "Dry run" });
      await panel.getByText(/business days after Fri/).waitFor();
      const [friday, saturday, monday, wednesday] = aroundLaborDay();
      await panel.getByLabel("Goes home").fill(`${friday.iso}T17:40`);
      await panel.getByLabel("Diagnoses").fill("I50.9");
      await panel.getByText("has changed since").waitFor();
      await button(panel, "Try it").click();
      await panel
        .getByText(
          new RegExp(
            `after ${friday.said}; ${saturday.said}.*${monday.said}.* \\(Labor Day\\) do not count`,
          ),
        )
        .waitFor();
      await panel.getByText(/Visit the patient at home: no working day .*Labor Day/).waitFor();
      const call = panel.getByRole("listitem").filter({ hasText: "Call the patient" });
      await call
        .getByText(new RegExp(`^${wednesday.said}`))
        .first()
        .waitFor();
      await call.getByText(/^If nobody acts/).click();
      await call.getByText(/^duty team/).waitFor();
      await looksRight(page);
      const picture = page.getByRole("region", { name: "Who does what, and by when" });
      await button(
        picture,
        new RegExp(`Call the patient or caregiver.*${wednesday.said}`),
      ).waitFor();
      await panel.getByLabel("And then").selectOption("readmitted");
      await button(panel, "Try it").click();
      await panel.getByText(/tasks are taken back/).waitFor();
      await looksRight(page);
      await page.context().close();
    });

    test("only what was tried is published: a draft is mended, tried and published", async () => {
      const page = await open("admin", "/protocols/discharge-transition?view=text");
      await button(page, "Edit a draft").click();
      const text = page.getByLabel("The protocol, in YAML");
      const whole = await text.inputValue();
      const publish = button(page, "Publish…");
      assert(await publish.isDisabled(), "the draft says the same");
      await text.fill(whole.replace("role: nurse", "role:"));
      assert(await publish.isDisabled(), "this text was not tried");
      await button(page, "Try it").click();
      await page.getByText("to mend").waitFor();
      assert(await publish.isDisabled(), "this text is wrong");
      await looksRight(page);
      await button(page, /^Line/).first().click();
      await text.fill(`${whole}\n# Reviewed ${Date.now()}\n`);
      await button(page, "Try it").click();
      await page.getByText("It can be published.").waitFor();
      await text.press("End");
      await text.pressSequentially("#");
      assert(await publish.isDisabled(), "one letter more is another text");
      await button(page, "Try it").click();
      await page.getByText("It can be published.").waitFor();
      await publish.click();
      await button(dialog(page), /^Publish version/).click();
      await toast(page, "Published.").waitFor();
      await page.getByLabel("Version", { exact: true }).waitFor();
      await page.context().close();
    });
  });

  describe("staff and teams", () => {
    test("somebody is added, changed, and leaves; errors stand at their field", async () => {
      const account = `test-${Date.now()}`;
      const page = await open("admin", "/staff");
      await button(page, "Add a person").click();
      await button(dialog(page), "Add them").click();
      await dialog(page).getByRole("link", { name: "Enter a name" }).click();
      await page.keyboard.type("Terry Example");
      await dialog(page).getByLabel("Account").fill("nurse");
      await button(dialog(page), "Add them").click();
      await dialog(page).getByText("Somebody else has this account").first().waitFor();
      await looksRight(page);
      await dialog(page).getByLabel("Account").fill(account);
      await button(dialog(page), "Add a role").click();
      await dialog(page).getByLabel("Role", { exact: true }).selectOption("nurse");
      await dialog(page).getByLabel("Where").selectOption({ label: "Mercy Regional Hospital" });
      await button(dialog(page), "Add them").click();
      await toast(page, "Added.").waitFor();
      const row = page.getByRole("listitem").filter({ hasText: account });
      await row.getByText("Nurse · Mercy Regional Hospital").waitFor();
      await button(row, /^End access/).click();
      await dialog(page).getByText("Within 60 seconds").waitFor();
      await button(dialog(page), "End access").click();
      await toast(page, "can no longer sign in").waitFor();
      await row.waitFor({ state: "detached" });
      await page.getByLabel("Also those who have left").check();
      await row.getByText("has left").waitFor();
      await page.context().close();
    });

    test("who leads a team names a successor; who is the last on duty stays", async () => {
      const page = await open("admin", "/staff");
      await button(page, "End access: Nadia Haddad").click();
      await button(dialog(page), "End access").click();
      await dialog(page).getByRole("link", { name: "Choose who leads from now on" }).waitFor();
      await button(dialog(page), "Keep them").first().click();
      await button(page, "End access: Priya Natarajan").click();
      await dialog(page).getByText("No other active member of Scheduling desk").waitFor();
      assert(await button(dialog(page), "End access").isDisabled());
      await looksRight(page);
      await page.context().close();
    });

    test("a team is changed; the duty team is marked", async () => {
      const page = await open("admin", "/staff?show=teams");
      await page.getByText("Every escalation of this facility ends here.").first().waitFor();
      await button(page, "Change Clinical pharmacy").click();
      await dialog(page)
        .getByLabel(/Linh Tran/)
        .uncheck();
      await button(dialog(page), /^Save/).click();
      await dialog(page).getByRole("link", { name: "Choose at least one member" }).waitFor();
      await dialog(page)
        .getByLabel(/Linh Tran/)
        .check();
      await button(dialog(page), /^Save/).click();
      await toast(page, "Saved. Clinical pharmacy").waitFor();
      await page.context().close();
    });
  });

  describe("operations", () => {
    test("every service says what waits, what is late, and who works", async () => {
      const page = await open("operator", "/operations");
      for (const name of ["Interop", "Registry", "Tasking", "Identity"]) {
        await button(page, name).click();
        await page.getByText("works off events and timers").first().waitFor();
        await looksRight(page);
        await button(page, name).click();
      }
      await page.context().close();
    });

    test("what is done for people is counted, without anybody's name", async () => {
      const person = somebody("Opal", "Counted");
      await sentHome(world.hub, person, 2);
      const page = await open("operator", "/operations");
      const trade = page.getByRole("region", { name: "What the network does for people" });
      const figure = (word) => trade.locator("dl > div").filter({ hasText: word }).locator("dd");
      const counts = (word) => figure(word).filter({ hasText: /^[1-9][\d,]*$/ });
      // Said with the next sign of life: each is some seconds old.
      await counts("Tasks that a message made").waitFor({ timeout: 45_000 });
      await counts("Accepted").waitFor();
      await figure("Feeds silent now").filter({ hasText: /^\d+$/ }).waitFor();
      await counts("Acknowledgements timed").waitFor();
      await counts(/^Open/).waitFor({ timeout: 45_000 });
      await figure("Within 1 s").first().filter({ hasText: "%" }).waitFor();
      assert.equal((await trade.textContent()).includes("Opal"), false);
      await looksRight(page);
      await shot(page, "operations-1440-en");
      const phone = await open("operator", "/operations?service=tasking", {
        viewport: PHONE,
        locale: "es-US",
      });
      await phone.getByText("Del mensaje a la tarea").waitFor();
      await phone.getByText("Respondidas").waitFor();
      const took = phone.locator("dl > div").filter({ hasText: "En 0,5 s" }).locator("dd");
      await took.filter({ hasText: "%" }).first().waitFor();
      await looksRight(phone);
      await shot(phone, "operations-360-es");
      await phone.context().close();
      await page.context().close();
    });
  });
}

/** The days around this year's Labor Day, as a form has them and as the page says them: of another year it says the year, too. */
function aroundLaborDay() {
  const [year] = new Intl.DateTimeFormat("en-CA", { timeZone: "America/Chicago" })
    .format(new Date())
    .split("-");
  const first = new Date(Date.UTC(Number(year), 8, 1));
  const monday = 1 + ((8 - first.getUTCDay()) % 7);
  return [-3, -2, 0, 2].map((by) => {
    const day = new Date(Date.UTC(Number(year), 8, monday + by));
    const said = (options) => day.toLocaleDateString("en-US", { timeZone: "UTC", ...options });
    return {
      iso: day.toISOString().slice(0, 10),
      said: `${said({ weekday: "short" })} ${day.getUTCDate()} ${said({ month: "short" })}`,
    };
  });
}

/** A picture for whoever looks at them: CAREHUB_SHOTS names the folder. */
async function shot(page, name) {
  const folder = process.env.CAREHUB_SHOTS;
  if (folder) await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
}
