import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import type { Patient } from "@/api/client";
import en from "@/i18n/en/patients.json";
import es from "@/i18n/es/patients.json";
import { aLoop, aTask, aVisit } from "@/testing/samples";
import { nextTask } from "./loop-card";
import { languageName, phoneOf, phoneWords } from "./person";
import { nightsOf, timelineOf, whereTo } from "./timeline-entries";

const now = new Date("2026-09-09T18:12:00Z");
const whats = (entries: { what: string }[]) => entries.map(({ what }) => what);

describe("timeline", () => {
  test("the future is above now, the farthest first, and what is late stands next to now", () => {
    const tasks = [
      aTask({ id: "due" }),
      aTask({ id: "far", dueTime: "2026-10-03T04:59:59Z" }),
      aTask({ id: "late", dueTime: "2026-09-08T04:59:59Z" }),
    ];
    const { future } = timelineOf({ encounters: [], loops: [], tasks }, now);
    expect(future.map(({ id }) => id)).toEqual(["far", "due", "late"]);
    expect(whats(future)).toEqual(["due", "due", "late"]);
  });

  test("the past is below now, the newest first: visits, loops, steps and attempts in one list", () => {
    const attempts = [
      {
        time: "2026-09-08T14:05:00Z",
        channel: "phone",
        result: "RESULT_NO_ANSWER" as const,
        staffId: "nurse",
        isCounted: true,
        note: "",
      },
    ];
    const story = { encounters: [aVisit()], loops: [aLoop()], tasks: [aTask({ attempts })] };
    const { past } = timelineOf(story, now);
    expect(whats(past)).toEqual(["attempt", "discharged", "opened", "admitted"]);
  });

  test("reaching somebody is told once, as the step that it completed", () => {
    const task = aTask({
      state: "STATE_COMPLETED",
      outcome: "reached",
      closeTime: "2026-09-09T15:00:00Z",
      attempts: [
        {
          time: "2026-09-09T15:00:00Z",
          channel: "phone",
          result: "RESULT_REACHED",
          staffId: "nurse",
          isCounted: true,
          note: "",
        },
      ],
    });
    expect(whats(timelineOf({ encounters: [], loops: [], tasks: [task] }, now).past)).toEqual([
      "done",
    ]);
  });

  test("a step that nobody ticked off says what shows it; one that somebody did, nothing", () => {
    const closed = {
      state: "STATE_COMPLETED" as const,
      outcome: "",
      closeTime: "2026-09-09T15:00:00Z",
    };
    const tasks = [
      aTask({ ...closed, id: "shown", step: "visit", completedById: "" }),
      aTask({ ...closed, id: "ticked", step: "visit", completedById: "nurse", outcome: "done" }),
    ];
    const evidence = [
      { kind: "CONTACT_ATTEMPTS", step: "visit" },
      { kind: "APPOINTMENT", step: "visit" },
    ].map((each) => ({ ...each, description: "", sourceId: "", staffId: "", outcome: "" }));
    const { past } = timelineOf({ encounters: [], loops: [aLoop({ evidence })], tasks }, now);
    const shown = past.flatMap((each) => (each.what === "done" ? [[each.id, each.shownBy]] : []));
    expect(shown).toEqual([
      ["shown", "APPOINTMENT"],
      ["ticked", ""],
    ]);
  });

  test("a gap stands right below the oldest visit or result that is here, at the end if there is none", () => {
    const first = aVisit();
    const second = aVisit({
      id: "second",
      admitTime: "2026-03-01T15:00:00Z",
      dischargeTime: "2026-03-02T15:00:00Z",
    });
    const loops = [aLoop({ openTime: "2025-01-01T15:00:00Z" })];
    const story = { encounters: [first, second], loops, tasks: [] };
    const kinds = (cut: ("visit" | "result")[]) => whats(timelineOf({ ...story, cut }, now).past);
    const all = ["discharged", "admitted", "discharged", "admitted"];
    expect(kinds([])).toEqual([...all, "opened"]);
    expect(kinds(["visit"])).toEqual([...all, "older", "opened"]);
    expect(kinds(["result"])).toEqual([...all, "opened", "older"]);
    const { past } = timelineOf({ ...story, cut: ["visit", "result"] }, now);
    const gaps = past.filter(({ what }) => what === "older").map(({ kind, at }) => [kind, at]);
    expect(gaps).toEqual([
      ["visit", "2026-03-01T15:00:00Z"],
      ["result", ""],
    ]);
  });

  test("nights and destinations are told from the message's own fields", () => {
    expect(nightsOf(aVisit())).toBe(6);
    expect(["01", "03", "20", "07"].map(whereTo)).toEqual(["home", "other", "died", "against"]);
  });
});

test.each([
  ["en", en.reasons],
  ["es", es.reasons],
])("why a loop ended has words in %s, whichever protocol ended it", (_, reasons) => {
  const folder = "../../services/tasking/protocols";
  const files = readdirSync(folder).filter((file) => file.endsWith(".yaml"));
  const given = files.flatMap((file) =>
    [...readFileSync(`${folder}/${file}`, "utf8").matchAll(/reason: ([A-Z_]+)$/gm)].map(
      ([, reason]) => reason as string,
    ),
  );
  expect(given).toContain("HELPED");
  expect(given.filter((reason) => !(reason in reasons))).toEqual([]);
});

test("the next step has begun; among those, the soonest due", () => {
  const tasks = [
    aTask({
      id: "sooner, not begun",
      startTime: "2026-10-01T00:00:00Z",
      dueTime: "2026-09-09T19:00:00Z",
    }),
    aTask({ id: "later", dueTime: "2026-09-12T00:00:00Z" }),
    aTask({ id: "next", dueTime: "2026-09-11T00:00:00Z" }),
    aTask({ id: "done", state: "STATE_COMPLETED", dueTime: "2026-09-01T00:00:00Z" }),
  ];
  expect(nextTask(tasks, now)?.id).toBe("next");
});

describe("a person", () => {
  const telecoms: Patient["telecoms"] = [
    { system: "SYSTEM_PHONE", value: "+13125550100", use: "WPN" },
    { system: "SYSTEM_EMAIL", value: "a@example.org", use: "" },
    { system: "SYSTEM_PHONE", value: "+13125550142", use: "PRN" },
  ];

  test("is called at home before at work", () => {
    expect(phoneOf({ telecoms } as Patient)).toBe("+13125550142");
    expect(phoneOf(undefined)).toBe("");
  });

  test("has a phone number as people here write it, or as it came", () => {
    expect(phoneWords("+13125550142")).toBe("(312) 555-0142");
    expect(phoneWords("+5215512345678")).toBe("+5215512345678");
  });

  test("has a language in the reader's language", () => {
    expect(languageName("es", "en")).toBe("Spanish");
    expect(languageName("es", "es")).toBe("Español");
    expect(languageName("", "en")).toBe("");
  });
});
