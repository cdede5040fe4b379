/** Two facts from the last contacts, so that nobody calls without knowing them. */
import { useTranslations } from "use-intl";
import type { Task } from "@/api/client";
import { useStaff } from "@/api/queries";
import { useWhen, useZone } from "@/ui/when";
import styles from "./pane.module.css";

const MOST = 2;

export interface Fact {
  at: string;
  staffId: string;
  text: string;
  /** The result of an attempt, when it has no words of its own. */
  result: string;
  facilityId: string;
}

/** Remarks and attempts of a loop, the newest first. Pure. */
export function factsOf(tasks: readonly Task[]): Fact[] {
  const facts = tasks.flatMap(({ facilityId, comments, attempts }) => [
    ...comments.map(({ time = "", staffId, text }) => ({
      at: time,
      staffId,
      text,
      result: "",
      facilityId,
    })),
    ...attempts.map(({ time = "", staffId, note, result }) => ({
      at: time,
      staffId,
      text: note,
      result,
      facilityId,
    })),
  ]);
  return facts.filter(({ at }) => at).sort((a, b) => b.at.localeCompare(a.at));
}

export function KnowFirst({ tasks }: { tasks: readonly Task[] }) {
  const t = useTranslations("worklist");
  const facts = factsOf(tasks).slice(0, MOST);
  if (!facts.length) return null;
  return (
    <div className={styles.know}>
      <b>{t("knowFirst")}</b>
      <ul>
        {facts.map((fact) => (
          <li key={`${fact.at}${fact.text}`}>
            <FactLine fact={fact} />
          </li>
        ))}
      </ul>
    </div>
  );
}

function FactLine({ fact }: { fact: Fact }) {
  const t = useTranslations("worklist");
  const outcomes = useTranslations("worklist.outcomes");
  const when = useWhen();
  const zone = useZone(fact.facilityId);
  const staff = useStaff();
  const who = staff.find(({ id }) => id === fact.staffId)?.displayName ?? t("message");
  const at = when.moment(new Date(fact.at), zone);
  const key = fact.result as Parameters<typeof outcomes>[0];
  const what = outcomes.has(key) ? outcomes(key) : "";
  if (!fact.text) return t("factNoText", { what, who, when: at });
  const text = what ? `${what}: ${fact.text}` : fact.text;
  return t("fact", { text, who, when: at });
}
