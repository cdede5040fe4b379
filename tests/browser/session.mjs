/** Stories of being signed in, signed out, and without a network. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { looksRight, signIn } from "./browser.mjs";

export function session(world) {
  describe("session", () => {
    test("nobody sees anything before signing in", async () => {
      const page = await world.browser.newPage();
      page.complaints = [];
      await page.goto(`${world.hub.url}/worklist`);
      await page.getByRole("link", { name: "Sign in" }).waitFor();
      await looksRight(page);
      await page.close();
    });

    test("a session that ends covers the work and keeps it; signing in over it goes on", async () => {
      const page = await signIn(world.browser, world.hub, "coordinator", { path: "/worklist" });
      await page.locator("[data-task]").first().waitFor({ timeout: 30_000 });
      await page.context().clearCookies({ name: "carehub" });
      // The next thing that is asked finds out; the live list may have asked already.
      const all = page
        .getByRole("group", { name: "Whose work" })
        .getByRole("button", { name: /^All/ });
      await all.click({ timeout: 2_000 }).catch(() => undefined);
      const cover = page.getByRole("alertdialog");
      await cover.waitFor({ timeout: 30_000 });
      await page.keyboard.press("Escape");
      await page.keyboard.press("Escape");
      await cover.waitFor();
      const opened = page.waitForEvent("popup");
      await cover.getByRole("link", { name: "Sign in" }).click();
      const popup = await opened;
      const account = popup.locator('button[name=account][value="coordinator"]');
      const isSignedIn = popup.getByRole("heading", { name: "You are signed in" });
      await account.or(isSignedIn).first().waitFor(); // the issuer may know them still
      if (await account.isVisible()) await account.click();
      await isSignedIn.waitFor();
      await cover.waitFor({ state: "detached" });
      await page.context().close();
    });

    test("a session that ends covers what is open over the page, too", async () => {
      const page = await signIn(world.browser, world.hub, "coordinator", { path: "/worklist" });
      await page.locator("[data-task]").first().waitFor({ timeout: 30_000 });
      await page.keyboard.press("Control+k");
      const dialog = page.getByRole("dialog");
      const field = dialog.getByRole("textbox").or(dialog.getByRole("combobox")).first();
      await field.fill("a");
      const { x, y, width, height } = await field.boundingBox();
      await page.context().clearCookies({ name: "carehub" });
      await page.getByRole("alertdialog").waitFor({ timeout: 60_000 });
      const at = [x + width / 2, y + height / 2];
      const isCovered = ([left, top]) =>
        document.elementFromPoint(left, top)?.closest("[role=alertdialog]") !== null;
      assert(await page.evaluate(isCovered, at));
      for (let tries = 0; tries < 5; tries += 1) {
        await page.keyboard.press("Tab");
        assert(await page.evaluate(() => !document.activeElement?.closest("[data-portal]")));
      }
      await page.context().close();
    });

    test("without a network it says so, calmly, and what is shown stays", async () => {
      const page = await signIn(world.browser, world.hub, "nurse", { path: "/worklist" });
      await page.locator("[data-task]").first().waitFor({ timeout: 30_000 });
      await page.context().setOffline(true);
      await page.locator("text=Offline since").waitFor();
      await page.locator("[data-task]").first().waitFor();
      await page.context().setOffline(false);
      await page.locator("text=Offline since").waitFor({ state: "detached" });
      await page.context().close();
    });

    test("signing out ends at the sign-in page", async () => {
      const page = await signIn(world.browser, world.hub, "nurse");
      await page.getByRole("button", { name: /Nadia Haddad/ }).click();
      await page.getByRole("menuitem", { name: "Sign out" }).click();
      await page.waitForURL((url) => !url.pathname.startsWith("/worklist"));
      await page.goto(`${world.hub.url}/worklist`);
      await page.getByRole("link", { name: "Sign in" }).waitFor();
      await page.context().close();
    });
  });
}
