/** What is asked of the directory, and what a partner is told: from what the record knows and somebody typed. Pure. */
import type { Loop, Patient, Referral } from "@/api/client";
import type { components, paths } from "@/api/schema.gen";
import { phoneOf, phoneWords } from "@/features/patients/person";
import { ageOn, momentIn, partsIn } from "@/ui/moments";
import { RIDES } from "./needs";

type Schemas = components["schemas"];
type Search = paths["/v1/directory/services:search"]["post"];
export type Wanted = Search["requestBody"]["content"]["application/json"];
export type Item = NonNullable<Schemas["referrals.ReferralConsent"]["items"]>[number];

/** As it is typed: local times of the facility, empty where nothing is said. */
export interface Asked {
  need: string;
  facilityId: string;
  postalCode: string;
  start: string;
  end: string;
  language: string;
  needsWheelchair: boolean;
  firstName: string;
  telephone: string;
  address: string;
  destination: string;
  area: string;
}

/** What the record knows already. */
export function askedFrom(patient: Patient, facilityId: string): Asked {
  const name = patient.names.find(({ use }) => use === "L" || use === "") ?? patient.names[0];
  const [home] = patient.addresses.filter(({ use }) => use !== "BA");
  return {
    need: RIDES,
    facilityId,
    postalCode: home?.postalCode.slice(0, 5) ?? "",
    start: "",
    end: "",
    language: patient.language.split("-")[0] ?? "",
    needsWheelchair: false,
    firstName: (name?.given[0] ?? "").split(" ").slice(0, 2).join(" "),
    telephone: phoneWords(phoneOf(patient)),
    address: home ? [...home.lines, home.city].filter(Boolean).join(", ") : "",
    destination: "",
    area: home?.city ?? "",
  };
}

export const isRide = ({ need }: Pick<Asked, "need">) => need === RIDES;

/** What keeps the directory from being searched. */
export type Missing = "need" | "facility" | "time" | "order" | "past";

export function missingOf(asked: Asked, zone: string, now: Date): Missing | null {
  if (!asked.need) return "need";
  if (!asked.facilityId) return "facility";
  if (isRide(asked) && !(asked.start && asked.end)) return "time";
  if (Boolean(asked.start) !== Boolean(asked.end)) return "time";
  if (asked.start && asked.start >= asked.end) return "order";
  if (asked.start && momentIn(zone, asked.start) < now) return "past";
  return null;
}

export function wantedOf(asked: Asked, patient: Patient, zone: string, now: Date): Wanted {
  return {
    need: asked.need,
    facilityId: asked.facilityId,
    postalCode: asked.postalCode.trim(),
    ...timesOf(asked, zone),
    language: asked.language,
    needsWheelchair: isRide(asked) && asked.needsWheelchair,
    age: ageOn(patient.birthDate, partsIn(zone, now)) ?? 0,
  };
}

function timesOf({ start, end }: Asked, zone: string) {
  if (!start || !end) return {};
  const [startTime, endTime] = [start, end].map((each) => momentIn(zone, each).toISOString());
  return { startTime, endTime };
}

const ITEMS = [
  ["firstName", "ITEM_FIRST_NAME"],
  ["telephone", "ITEM_TELEPHONE"],
  ["address", "ITEM_ADDRESS"],
  ["destination", "ITEM_DESTINATION"],
] as const;

/** What the partner hears after yes: what is not empty, and a destination only of a ride. */
export function itemsOf(told: Partial<Record<(typeof ITEMS)[number][0], string>>): Item[] {
  return ITEMS.flatMap(([field, item]) => (told[field]?.trim() ? [item] : []));
}

interface Made {
  asked: Asked;
  patient: Patient;
  loop: Loop | undefined;
  serviceId: string;
  autoNext: boolean;
  zone: string;
}

/** The draft of a referral. There is no field for health in it. */
export function draftOf({ asked, patient, loop, serviceId, autoNext, zone }: Made) {
  return {
    referral: {
      facilityId: asked.facilityId,
      patientId: patient.id,
      need: asked.need,
      serviceId,
      autoNext,
      loopId: loop?.id ?? "",
      details: {
        firstName: asked.firstName,
        telephone: asked.telephone,
        address: asked.address,
        destination: isRide(asked) ? asked.destination : "",
        area: asked.area,
        postalCode: asked.postalCode.trim(),
        language: asked.language,
        needsWheelchair: isRide(asked) && asked.needsWheelchair,
        ...timesOf(asked, zone),
      },
    },
    labels: loop?.labels ?? [],
  };
}

/** As a form holds a consent. */
export interface Given {
  form: "FORM_VERBAL" | "FORM_PAPER" | "FORM_ELECTRONIC";
  witness: string;
  evidenceId: string;
  /** Other services that the patient agreed to as well. */
  alsoIds: string[];
}

export const NOT_GIVEN: Given = { form: "FORM_VERBAL", witness: "", evidenceId: "", alsoIds: [] };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export const isGiven = ({ form, witness, evidenceId }: Given) =>
  form === "FORM_VERBAL" ? Boolean(witness.trim()) : UUID.test(evidenceId.trim());

export function consentOf(given: Given, serviceId: string, items: Item[]) {
  const isSpoken = given.form === "FORM_VERBAL";
  return {
    form: given.form,
    serviceIds: [serviceId, ...given.alsoIds],
    items,
    witness: isSpoken ? given.witness.trim() : "",
    evidenceId: isSpoken ? "" : given.evidenceId.trim(),
  };
}

/** The items of a referral that exists, as its draft was made. */
export const itemsIn = (referral: Referral): Item[] => itemsOf(referral.details ?? {});
