/** On every page of a patient who is seen in an emergency: until when, and the way to end it. */
import { IconUrgent } from "@tabler/icons-react";
import { useEffect } from "react";
import { useTranslations } from "use-intl";
import { useEmergency } from "@/api/emergency";
import { useToasts } from "@/ui/toasts";
import { useHomeZone, useNow, useWhen } from "@/ui/when";
import styles from "./emergency.module.css";
import { useEndEmergency, useForget } from "./hooks";

export function EmergencyBanner({ patientId }: { patientId: string }) {
  const t = useTranslations("emergency.banner");
  const emergency = useEmergency(patientId);
  const end = useEndEmergency();
  const forget = useForget();
  const when = useWhen();
  const zone = useHomeZone();
  const now = useNow();
  const { say } = useToasts();
  const isOver = emergency !== undefined && now >= new Date(emergency.expireTime);
  useEffect(() => {
    if (isOver) forget(patientId);
  });
  if (!emergency) return null;
  const finish = () =>
    end.mutateAsync(emergency).then(
      () => say({ text: t("ended") }),
      () => say({ text: t("failed") }),
    );
  return (
    <section className={styles.banner} aria-label={t("label")}>
      <IconUrgent size={18} stroke={1.9} aria-hidden="true" />
      <p>
        <strong>{t("until", { time: when.time(new Date(emergency.expireTime), zone) })}</strong>{" "}
        {t("seen")}
      </p>
      <button type="button" onClick={() => void finish()} disabled={end.isPending}>
        {t("end")}
      </button>
    </section>
  );
}
