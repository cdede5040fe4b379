import { afterEach, describe, expect, test } from "vitest";
import { emergencies, inEmergency, patientOf } from "./emergency";

const PAT = "01900000-0000-7000-8000-000000000001";
const SAM = "01900000-0000-7000-8000-000000000002";
const HERE = "https://hub.example/v1";

const purposeOf = async (address: string) => {
  const request = new Request(address);
  const options = { request } as Parameters<NonNullable<typeof inEmergency.onRequest>>[0];
  await inEmergency.onRequest?.(options);
  return request.headers.get("X-Purpose");
};

afterEach(() => emergencies.end(PAT));

describe("an emergency", () => {
  test("is said of every request about its patient, and of no other", async () => {
    emergencies.begin({ id: "1", patientId: PAT, openTime: "", expireTime: "" });
    for (const about of [
      `/patients/${PAT}`,
      `/patients/${PAT}/encounters`,
      `/contacts/${PAT}/messages`,
      `/tasks?patientId=${PAT}`,
    ]) {
      expect([about, await purposeOf(HERE + about)]).toEqual([about, "EMERGENCY"]);
    }
    for (const about of [`/patients/${SAM}`, `/tasks?patientId=${SAM}`, "/me", "/tasks"]) {
      expect([about, await purposeOf(HERE + about)]).toEqual([about, null]);
    }
  });

  test("is ended and opened as who one is always", async () => {
    emergencies.begin({ id: "1", patientId: PAT, openTime: "", expireTime: "" });
    expect(await purposeOf(`${HERE}/break-glass?patientId=${PAT}`)).toBeNull();
    emergencies.end(PAT);
    expect(await purposeOf(`${HERE}/patients/${PAT}`)).toBeNull();
  });

  test("knows a patient by the path before the query", () => {
    expect(patientOf(`${HERE}/patients/${PAT}/accesses?patientId=${SAM}`)).toBe(PAT);
    expect(patientOf(`${HERE}/patients:search`)).toBe("");
  });
});
