/** A person at Chromium: signs in at the issuer, works, confirms with a second factor, signs out. Tells what was seen. */
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { openBrowser } from "../browser/browser.mjs";

const told = JSON.parse(readFileSync(0, "utf8"));
const seen = { complaints: [] };

/** The code that an authenticator shows now (RFC 6238). */
function codeOf(secret) {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(Date.now() / 30_000)));
  const digest = createHmac("sha1", secret).update(counter).digest();
  const start = digest[digest.length - 1] & 15;
  return String((digest.readUInt32BE(start) & 0x7fffffff) % 1_000_000).padStart(6, "0");
}

const browser = await openBrowser();
try {
  const context = await browser.newContext({ locale: "en-US" });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  page.on("pageerror", (error) => seen.complaints.push(error.message));
  page.on("console", (message) => {
    if (message.text().includes("Content Security Policy")) seen.complaints.push(message.text());
  });
  const status = async () =>
    await page.evaluate(async () => (await fetch("/v1/me")).status);

  await page.goto(`${told.url}/signin?next=/docs`);
  await page.fill("input[name=username]", told.account);
  await page.fill("input[name=password]", told.password);
  await page.click("[type=submit]");
  await page.waitForURL(`${told.url}/docs`);
  seen.me = await page.evaluate(
    async () => (await (await fetch("/v1/me")).json()).staffMember.id,
  );
  const cookies = await context.cookies(told.url);
  seen.cookies = cookies.map(({ name }) => name).filter((name) => name.startsWith("carehub")).sort();
  seen.httpOnly = cookies.every(({ name, httpOnly }) => !name.startsWith("carehub") || httpOnly);
  seen.storage = await page.evaluate(() => localStorage.length + sessionStorage.length);

  await page.goto(`${told.url}/signin?acr=2&next=/docs`);
  const secret = await page.getAttribute("input[name=totpSecret]", "value");
  await page.fill("input[name=totp]", codeOf(secret));
  await page.fill("input[name=userLabel]", "a test");
  await page.click("[type=submit]");
  await page.waitForURL(`${told.url}/docs`);
  seen.steppedUp = await status();

  const location = await page.evaluate(async () => {
    const response = await fetch("/signout", {
      method: "POST",
      headers: { Accept: "application/json" },
    });
    return (await response.json()).location;
  });
  await page.goto(location);
  await page.waitForURL((url) => url.origin === told.url);
  seen.afterSignOut = await status();
  await page.goto(`${told.url}/signin`);
  seen.asksAgain = await page.locator("input[name=password]").isVisible();
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
