/** Who has a task: a person, or a team and who answers for it. */
import { useTranslations } from "use-intl";
import type { Loop, Task } from "@/api/client";

type Owner = Task["owner"] | Loop["owner"];

export interface OwnerParts {
  /** The person's or the team's name. */
  name: string;
  /** Who leads the team and answers for it; empty for a person. */
  lead: string;
}

export function partsOf(owner: Owner): OwnerParts {
  if (!owner) return { name: "", lead: "" };
  if (owner.staffId || !owner.teamName) return { name: owner.displayName, lead: "" };
  return { name: owner.teamName, lead: owner.leadName };
}

/** The same in one line. */
export function useOwnerWords(): (owner: Owner) => string {
  const t = useTranslations("worklist");
  return (owner) => {
    const { name, lead } = partsOf(owner);
    return lead ? t("teamLed", { team: name, lead }) : name;
  };
}
