/** Whom and what a consent may name, as a field offers it: each with what it is, since names may be the same. */
import { useTranslations } from "use-intl";
import { useFacilities, useOrganizations } from "@/api/queries";
import { useAllStaff, useAllTeams } from "@/features/staff/hooks";
import { usePartners, useProxies, useServicesAsked } from "./hooks";
import { kindOf } from "./use-words";

export interface Choice {
  value: string;
  label: string;
}
export interface Choices {
  group: string;
  items: Choice[];
}

const byLabel = (a: Choice, b: Choice) => a.label.localeCompare(b.label);

/** Facilities and organizations: whose rows a consent may be about. */
export function useSources(): Choices[] {
  const t = useTranslations("consents.form");
  const facilities = [...useFacilities().values()];
  const organizations = [...useOrganizations().values()];
  return [
    {
      group: t("facilities"),
      items: facilities
        .map(({ id, name }) => ({ value: id, label: t("facility", { name }) }))
        .sort(byLabel),
    },
    {
      group: t("organizations"),
      items: organizations
        .map(({ id, name }) => ({ value: id, label: t("organization", { name }) }))
        .sort(byLabel),
    },
  ];
}

/**
 * Those, teams, people, and those who act for the patient. Who is forbidden something may be a partner, too, or a
 * service of one that was asked to help.
 */
export function useReaders(patientId: string, isPermit: boolean): Choices[] {
  const t = useTranslations("consents.form");
  const givers = useTranslations("consents.givers");
  const places = useSources();
  const teams = useAllTeams().data ?? [];
  const staff = useAllStaff().data ?? [];
  const proxies = useProxies(patientId);
  const partners = usePartners();
  const services = useServicesAsked(patientId);
  return [
    ...places,
    {
      group: t("teams"),
      items: teams.map(({ id, name }) => ({ value: id, label: t("team", { name }) })).sort(byLabel),
    },
    {
      group: t("people"),
      items: staff
        .filter(({ state }) => state === "STATE_ACTIVE")
        .map(({ id, displayName, account }) => ({
          value: id,
          label: `${displayName} (${account})`,
        }))
        .sort(byLabel),
    },
    {
      group: t("acting"),
      items: proxies.map((proxy) => ({ value: proxy.personId, label: givers(kindOf(proxy)) })),
    },
    {
      group: t("partners"),
      items: isPermit
        ? []
        : [
            ...[...services].map(([value, name]) => ({ value, label: t("service", { name }) })),
            ...partners.map(({ id, name }) => ({ value: id, label: t("partner", { name }) })),
          ].sort(byLabel),
    },
  ].filter(({ items }) => items.length > 0);
}
