/** What a record says of a person, in the order and the words in which people want it. Pure. */
import type { Patient } from "@/api/client";

/** The legal name that is newest, or any. */
export function nameOf(patient: Patient): string {
  const name = patient.names.find(({ use }) => use === "L" || use === "") ?? patient.names[0];
  if (!name) return "";
  return [...name.given, name.family, name.suffix].filter(Boolean).join(" ");
}

/** The number to call: a mobile or home phone before one at work. */
export function phoneOf(patient: Patient | undefined): string {
  const phones = patient?.telecoms.filter(({ system }) => system === "SYSTEM_PHONE") ?? [];
  const first = phones.find(({ use }) => use !== "WPN") ?? phones[0];
  return first?.value ?? "";
}

/** "+13125550142" as people here write it: "(312) 555-0142". Other numbers stay as they are. */
export function phoneWords(phone: string): string {
  const found = /^\+1(\d{3})(\d{3})(\d{4})$/.exec(phone);
  return found ? `(${found[1]}) ${found[2]}-${found[3]}` : phone;
}

/** "es" in the reader's language: "Spanish". */
export function languageName(tag: string, locale: string): string {
  if (!tag) return "";
  try {
    const name = new Intl.DisplayNames([locale], { type: "language" }).of(tag) ?? tag;
    return name.charAt(0).toLocaleUpperCase(locale) + name.slice(1);
  } catch {
    return tag; // not a tag that anybody knows
  }
}

/** Street, city and state of the newest home address that is not known to be bad. */
export function addressOf(patient: Patient): string {
  const [home] = patient.addresses.filter(({ use }) => use !== "BA");
  if (!home) return "";
  const town = [home.city, home.state].filter(Boolean).join(", ");
  return [...home.lines, town].filter(Boolean).join(", ");
}
