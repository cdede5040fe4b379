/** Who is on the patient's care team. */
import { useTranslations } from "use-intl";
import { useMay } from "@/api/queries";
import { Card } from "@/ui/page";
import { useHomeZone, useWhen } from "@/ui/when";
import styles from "./careplans.module.css";
import { useCareTeam } from "./hooks";
import { useNames } from "./names";

export function Team({ patientId }: { patientId: string }) {
  const t = useTranslations("careplans.team");
  const { data } = useCareTeam(patientId, useMay("patients.read"));
  const nameOf = useNames();
  const when = useWhen();
  const zone = useHomeZone();
  if (!data) return null;
  const members = data.filter(({ state }) => state === "STATE_ACTIVE");
  return (
    <section aria-labelledby="team" className={styles.section}>
      <h2 id="team">{t("title")}</h2>
      <Card>
        {members.length === 0 && <p className={styles.quiet}>{t("none")}</p>}
        <ul className={styles.list}>
          {members.map((member) => (
            <li key={member.id} className={styles.row}>
              <bdi>{nameOf(member.memberId)}</bdi>
              {member.startTime && (
                <span className={styles.small}>
                  {t("since", { day: when.day(new Date(member.startTime), zone) })}
                </span>
              )}
            </li>
          ))}
        </ul>
      </Card>
    </section>
  );
}
