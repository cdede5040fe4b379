/** The console in a real browser, on a real hub. One hub for all stories: each has people of its own. */
import { after, before, describe } from "node:test";
import { access } from "./access.mjs";
import { appointments } from "./appointments.mjs";
import { openBrowser } from "./browser.mjs";
import { careplans } from "./careplans.mjs";
import { claims } from "./claims.mjs";
import { consents } from "./consents.mjs";
import { directory } from "./directory.mjs";
import { startHub } from "./hub.mjs";
import { live } from "./live.mjs";
import { measures } from "./measures.mjs";
import { messaging } from "./messaging.mjs";
import { network } from "./network.mjs";
import { own } from "./own.mjs";
import { pages } from "./pages.mjs";
import { patient } from "./patient.mjs";
import { referrals } from "./referrals.mjs";
import { session } from "./session.mjs";
import { worklist } from "./worklist.mjs";

describe("the console", { timeout: 1_500_000 }, () => {
  const world = { hub: null, browser: null };
  before(async () => {
    world.hub = await startHub();
    world.browser = await openBrowser();
  });
  after(async () => {
    await world.browser?.close();
    await world.hub?.stop();
  });
  worklist(world);
  live(world);
  patient(world);
  access(world);
  consents(world);
  own(world);
  careplans(world);
  messaging(world);
  referrals(world);
  appointments(world);
  directory(world);
  claims(world);
  session(world);
  network(world);
  measures(world);
  pages(world);
});
