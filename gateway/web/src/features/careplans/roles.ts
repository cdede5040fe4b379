/** Roles that can be asked, in words. */
import { useTranslations } from "use-intl";

export const ASKED = ["physician", "nurse", "pharmacist", "coordinator"] as const;
type Asked = (typeof ASKED)[number];

const isAsked = (role: string): role is Asked => ASKED.some((each) => each === role);

export function useRoleWords(): (role: string) => string {
  const t = useTranslations("careplans.roles");
  return (role) => (isAsked(role) ? t(role) : role);
}
