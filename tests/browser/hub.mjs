/** A whole hub for the tests: `carehub up` on ports and in a folder of its own, and a hospital that sends to it. */
import { spawn } from "node:child_process";
import { chmodSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const READY_MS = 180_000;
// Both processes have their grace of 15 s, one after the other, and then the engines theirs.
const STOP_MS = 90_000;
const STEP_MS = 90_000;

/** Start a hub, or use the one that CAREHUB_URL and CAREHUB_MLLP_PORT name. */
export async function startHub() {
  if (process.env.CAREHUB_URL) {
    const mllpPort = Number(process.env.CAREHUB_MLLP_PORT ?? 2575);
    const env = { ...process.env, PYTHONPATH: ".:libs/contracts" };
    return { url: process.env.CAREHUB_URL, mllpPort, env, stop: async () => undefined };
  }
  if (!existsSync(join(ROOT, "gateway/web/dist/index.html"))) {
    throw new Error("The console is not built. Run: npm run build");
  }
  const home = mkdtempSync(join(tmpdir(), "carehub-browser-"));
  chmodSync(home, 0o711); // PostgreSQL does not run as root, and has to reach its data
  const [httpPort, mllpPort] = [await freePort(), await freePort()];
  const env = {
    ...process.env,
    CAREHUB_HOME: home,
    CAREHUB_HTTP_PORT: String(httpPort),
    CAREHUB_MLLP_PORT: String(mllpPort),
    PYTHONPATH: ".:libs/contracts",
  };
  const hub = spawn(".venv/bin/carehub", ["up", "--no-feeds"], { cwd: ROOT, env });
  let said = "";
  for (const stream of [hub.stdout, hub.stderr]) {
    stream.on("data", (data) => {
      said += data;
    });
  }
  await until(() => {
    if (hub.exitCode !== null) throw new Error(`The hub ended:\n${said}`);
    return said.includes("CareHub is ready");
  }, READY_MS);
  const stop = async () => {
    hub.kill("SIGTERM");
    await until(() => hub.exitCode !== null || hub.signalCode !== null, STOP_MS);
    rmSync(home, { recursive: true, force: true });
  };
  return { url: `http://127.0.0.1:${httpPort}`, mllpPort, env, stop };
}

/**
 * `carehub demo story --step` on this hub: `until(words)` gives the next line that has them, `goOn()` presses Enter.
 * It ends with an error once the story has broken: its last lines say in which step.
 */
export function playStory(hub) {
  const story = spawn(".venv/bin/carehub", ["demo", "story", "--step"], {
    cwd: ROOT,
    env: hub.env,
  });
  let said = "";
  let read = 0;
  for (const stream of [story.stdout, story.stderr]) {
    stream.on("data", (data) => {
      said += data;
    });
  }
  return {
    async until(words, timeout = STEP_MS) {
      let line;
      await until(() => {
        const end = said.indexOf("\n", said.indexOf(words, read));
        const found = said.indexOf(words, read) >= 0 && end >= 0;
        if (found) {
          line = said.slice(said.lastIndexOf("\n", said.indexOf(words, read)) + 1, end);
          read = end;
        }
        if (!found && story.exitCode !== null) throw new Error(`The story ended:\n${said}`);
        return found;
      }, timeout);
      return line.trim();
    },
    goOn: () => story.stdin.write("\n"),
    stop: () => story.kill("SIGTERM"),
    said: () => said,
  };
}

/**
 * A port that nobody listens at, below those that the system gives to outgoing connections: between our look and the hub's use
 * the hub itself opens hundreds of those.
 */
async function freePort() {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (await isFree(port)) return port;
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const server = createServer().on("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

export async function until(isSo, timeout) {
  const end = Date.now() + timeout;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error(`Waited ${timeout} ms for: ${isSo}`);
    await new Promise((wake) => setTimeout(wake, 100));
  }
}

/** An hour of a day in the past at Mercy, as messages write it. */
export function daysAgo(days, hour = 9) {
  const day = new Date(Date.now() - days * 86_400_000);
  const parts = new Intl.DateTimeFormat("en-CA", { timeZone: "America/Chicago" }).format(day);
  return `${parts.replaceAll("-", "")}${String(hour).padStart(2, "0")}00`;
}

let sent = 0;
const RUN = Array.from(
  { length: 4 },
  () => "abcdefghijkmnopqrstuvwxyz"[Math.floor(Math.random() * 25)],
).join("");

/** Somebody invented whom no other story and no other run knows. */
export function somebody(given, family, more = {}) {
  sent += 1;
  const number = `${RUN}${sent}`;
  return { mrn: `BR${number}`, visit: `BRV${number}`, given, family: `${family}${RUN}`, ...more };
}

/** An ADT message of a stay at Mercy. */
export function adt(event, person, { admit, discharge = "" }) {
  sent += 1;
  const at = discharge || admit;
  const pv1 = Array(46).fill("");
  Object.assign(pv1, { 0: "PV1", 1: "1", 2: "I", 3: "3W^312^1", 19: person.visit, 44: admit });
  if (discharge) Object.assign(pv1, { 36: "01", 45: discharge });
  const { mrn, family, given, born = "19480302", language = "" } = person;
  const pid = `PID|1||${mrn}^^^MERCY^MR||${family}^${given}||${born}|F|||12 Pine St^^Springfield^IL^62701||3125550142||${language}|||||`;
  const segments = [
    `MSH|^~\\&|EHR|MERCY|CAREHUB|HUB|${at}||ADT^${event}|WEB${Date.now()}-${sent}|P|2.5.1`,
    `EVN|${event}|${at}|||||`,
    pid,
    pv1.join("|"),
  ];
  return `${segments.join("\r")}\r`;
}

/** An hour at Mercy, as messages write it. */
export function atMercy(at) {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: "America/Chicago",
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
  }).formatToParts(at);
  const part = (type) => parts.find((each) => each.type === type).value;
  return ["year", "month", "day", "hour", "minute"].map(part).join("");
}

/** An SIU message of a time that Mercy's own system has booked. */
export function siu(person, start) {
  sent += 1;
  const { mrn, family, given, born = "19480302" } = person;
  const segments = [
    `MSH|^~\\&|SCH|MERCY|CAREHUB|HUB|${atMercy(new Date())}||SIU^S12^SIU_S12|WEB${Date.now()}-${sent}|P|2.5.1`,
    `SCH||${person.visit}S|||||^Wound check||30|min|^^30^${atMercy(start)}${"|".repeat(14)}Booked`,
    `PID|1||${mrn}^^^MERCY^MR||${family}^${given}||${born}|F`,
  ];
  return `${segments.join("\r")}\r`;
}

/** An ORU message of a potassium that Mercy's laboratory verified at a moment. */
export function oru(person, verified, value, flag = "") {
  sent += 1;
  const at = atMercy(verified);
  const { mrn, family, given, born = "19480302" } = person;
  const segments = [
    `MSH|^~\\&|LAB|MERCY|CAREHUB|HUB|${at}||ORU^R01^ORU_R01|WEB${Date.now()}-${sent}|P|2.5.1`,
    `PID|1||${mrn}^^^MERCY^MR||${family}^${given}||${born}|F`,
    `OBR|1||${mrn}-${sent}|24323-8^Metabolic panel^LN|||${at}${"|".repeat(15)}${at}|||F`,
    `OBX|1|NM|2823-3^Potassium^LN||${value}|mmol/L|3.5-5.1|${flag}|||F|||${at}`,
  ];
  return `${segments.join("\r")}\r`;
}

/** As another program of the person at the page would do it: over the REST API, which must agree. */
export async function call(page, method, path, body) {
  const { status, answer } = await page.evaluate(
    async ([how, url, sent]) => {
      const headers = {
        "Content-Type": "application/json",
        "Idempotency-Key": crypto.randomUUID(),
      };
      const response = await fetch(url, {
        method: how,
        headers,
        body: sent === undefined ? undefined : JSON.stringify(sent),
      });
      return { status: response.status, answer: await response.json() };
    },
    [method, path, body],
  );
  if (status !== 200) throw new Error(`${method} ${path}: ${status} ${JSON.stringify(answer)}`);
  return answer;
}

/** Send over MLLP, one after the other; each must be taken. */
export async function send(hub, ...messages) {
  const socket = connect(hub.mllpPort, "127.0.0.1");
  try {
    for (const message of messages) {
      const answer = new Promise((resolve, reject) => {
        socket.once("data", resolve).once("error", reject);
      });
      socket.write(`\x0b${message}\x1c\r`);
      const text = String(await answer);
      if (!text.includes("MSA|AA|")) throw new Error(`Not taken: ${text}`);
    }
  } finally {
    socket.destroy();
  }
}

/** Somebody was in hospital and came home. */
export function sentHome(hub, person, days) {
  const stay = { admit: daysAgo(days + 4), discharge: daysAgo(days) };
  return send(hub, adt("A01", person, { admit: stay.admit }), adt("A03", person, stay));
}

/** The id of somebody whom Mercy has just sent home, as a coordinator finds it. */
export async function idOf(page, family) {
  const find = () =>
    page.evaluate(async (text) => {
      const answer = await fetch("/v1/patients:search", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ text }),
      });
      return (await answer.json()).patients?.[0]?.id;
    }, family);
  await until(find, 30_000);
  return find();
}
