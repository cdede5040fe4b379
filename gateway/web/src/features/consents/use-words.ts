/** The words of consents with the names of the network and the times of a place. */
import { useFormatter, useTranslations } from "use-intl";
import { useFacilities, useOrganizations } from "@/api/queries";
import { useAllStaff, useAllTeams } from "@/features/staff/hooks";
import { dayIn, partsIn } from "@/ui/moments";
import { useHomeZone, useNow, useWhen } from "@/ui/when";
import { type ActingPerson, usePartners, useProxies, useServicesAsked } from "./hooks";
import type { Means } from "./words";

const NOBODY: readonly ActingPerson[] = [];

/** Names of facilities, organizations, partners, teams and people, also of those who have left. */
export function useNames(
  proxies: readonly ActingPerson[] = NOBODY,
): (id: string) => string | undefined {
  const t = useTranslations("consents.givers");
  const facilities = useFacilities();
  const organizations = [...useOrganizations().values(), ...usePartners()];
  const teams = useAllTeams().data;
  const staff = useAllStaff().data;
  return (id) => {
    const named = facilities.get(id) ?? [...organizations, ...(teams ?? [])].find(isCalled(id));
    if (named) return named.name;
    const person = staff?.find(isCalled(id));
    if (person) return person.displayName;
    const proxy = proxies.find(({ personId }) => personId === id);
    return proxy && t(kindOf(proxy));
  };
}

const isCalled =
  (wanted: string) =>
  ({ id }: { id: string }) =>
    id === wanted;

export const kindOf = ({ kind }: ActingPerson) => (kind === "KIND_UNSPECIFIED" ? "other" : kind);

export function useConsentWords(patientId: string) {
  const t = useTranslations("consents");
  const format = useFormatter();
  const proxies = useProxies(patientId);
  const nameOf = useNames(proxies);
  const services = useServicesAsked(patientId);
  const moments = useMoments();
  return (facilityId: string): Means => ({
    t,
    list: (words) => format.list(words),
    nameOf: (id) => nameOf(id) ?? services.get(id),
    moment: moments(facilityId),
  });
}

/** A moment at a facility, within a sentence; the day alone where it begins or ends with it. */
export function useMoments() {
  const when = useWhen();
  const now = useNow();
  const home = useHomeZone();
  const facilities = useFacilities();
  return (facilityId: string) => {
    const zone = facilities.get(facilityId)?.timeZone ?? home;
    return (at: Date) => {
      const { hour, minute } = partsIn(zone, at);
      const words = hour + minute > 0 ? when.moment(at, zone) : when.day(at, zone);
      const isNear = Math.abs(dayIn(zone, at) - dayIn(zone, now)) <= 1;
      return isNear ? words.charAt(0).toLocaleLowerCase() + words.slice(1) : words;
    };
  };
}
