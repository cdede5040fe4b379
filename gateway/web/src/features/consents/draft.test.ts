import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { startOfDay } from "@/ui/moments";
import { consentOf, type Draft, draftOf, missingIn, newDraft, scopeOf } from "./draft";
import { obstacleOf, told } from "./effects";
import { grouped } from "./groups";
import { bodyOf, type Consent } from "./hooks";

const ZONE = "America/Chicago";
const NOW = new Date("2026-11-28T15:00:00Z");
const TODAY = "2026-11-28";
const around = { patientId: "patient", zone: ZONE, now: NOW, evidenceId: "minted" };
const signed: Draft = { ...newDraft("mercy", NOW, ZONE), hasEvidence: true };

function aConsent(fields: Partial<Consent> = {}): Consent {
  return {
    id: "one",
    etag: '"1"',
    patientId: "patient",
    facilityId: "mercy",
    decision: "DECISION_DENY",
    recipientIds: [],
    sourceIds: [],
    purposes: [],
    labels: [],
    dataClasses: [],
    giveTime: "2026-11-20T17:31:00.5Z",
    startTime: "2026-11-20T17:31:00.5Z",
    form: "FORM_PAPER",
    evidenceId: "",
    evidenceNote: "",
    givenById: "",
    state: "STATE_IN_FORCE",
    version: "1",
    recordTime: "2026-11-20T17:32:00Z",
    recorderId: "nurse",
    ...fields,
  };
}

describe("what is typed", () => {
  test("a new permission lacks only its evidence, and a refusal nothing", () => {
    const draft = newDraft("mercy", NOW, ZONE);
    expect(missingIn(draft, TODAY)).toEqual([["hasEvidence", "evidence"]]);
    expect(missingIn(signed, TODAY)).toEqual([]);
    const refusal = { ...draft, decision: "DECISION_DENY", ...scopeOf("DECISION_DENY") } as const;
    expect(missingIn(refusal, TODAY)).toEqual([]);
    expect(refusal.labels).toEqual([]);
  });

  test.each([
    [{ purposes: [] }, "purposes", "purposes"],
    [{ labels: [] }, "labels", "labels"],
    [{ dataClasses: [] }, "dataClasses", "dataClasses"],
    [{ form: "FORM_VERBAL", labels: ["LABEL_PART2"] }, "form", "signature"],
    [{ given: "" }, "given", "given"],
    [{ given: "2026-11-29" }, "given", "givenLater"],
    [{ end: "2026-11-27" }, "end", "endFirst"],
    [{ start: "2026-12-02", end: "2026-12-01" }, "end", "endFirst"],
    [{ evidenceId: "scan 12" }, "evidenceId", "reference"],
    [{ facilityId: "" }, "facilityId", "place"],
  ] as const)("%o is wrong at %s", (part, field, what) =>
    expect(missingIn({ ...signed, ...part } as Draft, TODAY)).toContainEqual([field, what]),
  );
});

describe("the consent that is sent", () => {
  test("is given now where it is given today, and ends with its last day at the place", () => {
    const body = consentOf({ ...signed, start: "2026-12-01", end: "2027-05-03" }, around);
    expect(body.giveTime).toBeUndefined();
    expect(body.startTime).toBe("2026-12-01T06:00:00.000Z");
    expect(body.endTime).toBe("2027-05-04T04:59:59.000Z");
    expect(body.evidenceId).toBe("minted");
  });

  test("keeps the moments of days that nobody changed", () => {
    const before = aConsent({ endTime: "2027-01-01T12:00:00Z", startTime: "2026-12-01T09:00:00Z" });
    const draft = draftOf(before, ZONE);
    expect([draft.given, draft.start, draft.end]).toEqual([
      "2026-11-20",
      "2026-12-01",
      "2027-01-01",
    ]);
    expect(consentOf(draft, { ...around, before })).toEqual(bodyOf(before));
    expect(consentOf({ ...draft, end: "" }, { ...around, before }).endTime).toBeUndefined();
  });

  test("a day begins at the place, also where clocks change on it", () => {
    expect(startOfDay("2026-11-01", ZONE).toISOString()).toBe("2026-11-01T05:00:00.000Z");
    expect(startOfDay("2026-11-02", ZONE).toISOString()).toBe("2026-11-02T06:00:00.000Z");
    expect(startOfDay("2026-03-09", ZONE).toISOString()).toBe("2026-03-09T05:00:00.000Z");
    expect(startOfDay("2026-11-28", "Pacific/Auckland").toISOString()).toBe(
      "2026-11-27T11:00:00.000Z",
    );
  });
});

describe("what is told", () => {
  test("what holds comes first, then what will, then what did, the newest of each first", () => {
    const some = [
      aConsent({ id: "withdrawn", state: "STATE_WITHDRAWN" }),
      aConsent({ id: "old" }),
      aConsent({ id: "pending", state: "STATE_PENDING" }),
      aConsent({ id: "new", giveTime: "2026-11-27T00:00:00Z" }),
      aConsent({ id: "expired", state: "STATE_EXPIRED", giveTime: "2026-01-01T00:00:00Z" }),
    ];
    expect(grouped(some).map(({ key, members }) => [key, members.map(({ id }) => id)])).toEqual([
      ["inForce", ["new", "old"]],
      ["pending", ["pending"]],
      ["ended", ["withdrawn", "expired"]],
    ]);
  });

  test("an effect is on those for whom something changes; the others are named apart", () => {
    const rows = {
      sourceIds: ["mercy"],
      dataClasses: ["DATA_CLASS_VISITS" as const],
      labels: ["LABEL_NORMAL" as const],
      purposes: ["PURPOSE_TREATMENT" as const],
    };
    const nobody = { reasons: [], opened: [], closed: [], sentences: [] };
    const effects = [
      { ...nobody, granteeId: "same" },
      { ...nobody, granteeId: "less", closed: [rows] },
    ];
    const { changing, unchanged } = told({ effects });
    expect(changing.map(({ granteeId }) => granteeId)).toEqual(["less"]);
    expect(unchanged).toEqual(["same"]);
  });

  test("every remark of the service is known by its English, and one that is not stays as it is", () => {
    const words = readFileSync("../../services/identity/domain/access/words.py", "utf8");
    const remarks = [...words.matchAll(/"obstacle\.(\w+)": "(.+)",\n/g)];
    expect(remarks.length).toBeGreaterThan(20);
    for (const [, key, remark = ""] of remarks)
      expect([remark, obstacleOf(remark)]).toEqual([remark, key]);
    expect(obstacleOf("Something new.")).toBeUndefined();
  });
});
