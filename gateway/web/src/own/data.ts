/** What the page of patients asks for. It loads little, and so goes to the API by itself. */

import type { Filled } from "@/api/client";
import type { components, paths } from "@/api/schema.gen";

type Looks = paths["/v1/me/patients/{patientId}/looks"]["get"]["responses"]["200"];
export type LooksPage = Looks["content"]["application/json"];
export type Look = LooksPage["looks"][number];
export type OwnRecord = Filled<components["schemas"]["identity.OwnRecord"]>;
export type Emergency = Filled<components["schemas"]["identity.OwnEmergency"]>;
export interface Emergencies {
  emergencies: Emergency[];
  /** There were others before. */
  hasMore: boolean;
}
type Whose = Filled<components["schemas"]["registry.OwnRecord"]>;

/** A record with whose it is. */
export interface Own extends OwnRecord {
  name: string;
  language: string;
}

/** An answer that is an error; status 0: no answer. */
export class NotAnswered extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

const AS_PATIENT = "PATIENT_REQUEST";
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;

async function ask<T>(path: string, purpose = AS_PATIENT): Promise<T> {
  const asked = fetch(`/v1/me/patients${path}`, { headers: { "X-Purpose": purpose } });
  const answer = await asked.catch(() => {
    throw new NotAnswered(0);
  });
  if (!answer.ok) throw new NotAnswered(answer.status);
  return answer.json();
}

const purposeOf = (record: OwnRecord) =>
  record.relation === "RELATION_PROXY" ? "FAMILY_REQUEST" : AS_PATIENT;

export async function ownRecords(): Promise<Own[]> {
  const { records } = await ask<{ records: OwnRecord[] }>("");
  return Promise.all(
    records.map(async (record) => {
      const { name, language } = await ask<Whose>(`/${record.patientId}`, purposeOf(record));
      return { ...record, language, name: [...name.given, name.family].join(" ") };
    }),
  );
}

export function looksAt(record: OwnRecord, pageToken: string): Promise<LooksPage> {
  const asked = new URLSearchParams({ timeZone: zone, pageToken });
  return ask(`/${record.patientId}/looks?${asked}`, purposeOf(record));
}

export function emergenciesOf(record: OwnRecord): Promise<Emergencies> {
  return ask(`/${record.patientId}/emergencies`, purposeOf(record));
}

/** The looks of each day, the newest first, as they come. */
export function byDay(looks: readonly Look[]): [day: string, looks: Look[]][] {
  const days = new Map<string, Look[]>();
  for (const look of looks) days.set(look.day, [...(days.get(look.day) ?? []), look]);
  return [...days];
}
