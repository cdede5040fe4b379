/** The name of a person or a team, as far as the caller may know it. */
import { useMemo } from "react";
import { useTranslations } from "use-intl";
import { useStaff, useTeams } from "@/api/queries";

export function useNames(): (id: string) => string {
  const t = useTranslations("careplans.plan");
  const staff = useStaff();
  const teams = useTeams();
  return useMemo(() => {
    const names = new Map([
      ...staff.map(({ id, displayName }) => [id, displayName] as const),
      ...teams.map(({ id, name }) => [id, name] as const),
    ]);
    return (id) => names.get(id) ?? t("somebody");
  }, [staff, teams, t]);
}
