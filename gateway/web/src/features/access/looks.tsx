/** Who has looked: by day and person, what they did and for what. */
import { Button } from "@mantine/core";
import { IconEye, IconUrgent } from "@tabler/icons-react";
import { useFormatter, useTranslations } from "use-intl";
import type { Patient } from "@/api/client";
import { useFacilities, useMe } from "@/api/queries";
import { Card } from "@/ui/page";
import { ShowMore } from "@/ui/show-more";
import { Empty, Loaded } from "@/ui/states";
import { useHomeZone, useWhen } from "@/ui/when";
import styles from "./access.module.css";
import { byDay, type LookDay } from "./days";
import { type Access, useAccesses } from "./hooks";

export function Looks({ patient }: { patient: Patient }) {
  const t = useTranslations("access.looks");
  const zone = useHomeZone();
  const asked = useAccesses(patient.id, zone);
  return (
    <Loaded query={asked} title={t("failed")}>
      {({ pages }) => {
        const days = byDay(pages.flatMap(({ accesses }) => accesses as Access[]));
        const unanswered = [...new Set(pages.flatMap((page) => page.unanswered))];
        return (
          <>
            <p className={styles.about}>{t("about")}</p>
            {unanswered.length > 0 && (
              <p className={styles.missing} role="status">
                {t("unanswered", { count: unanswered.length })}
                <Button variant="subtle" size="compact-sm" onClick={() => void asked.refetch()}>
                  {t("again")}
                </Button>
              </p>
            )}
            {days.length === 0 && (
              <Card>
                <Empty icon={<IconEye size={22} stroke={1.9} />} title={t("none")}>
                  {t("noneText")}
                </Empty>
              </Card>
            )}
            {days.map((day) => (
              <Day key={day.day} day={day} />
            ))}
            <ShowMore query={asked}>{t("more")}</ShowMore>
          </>
        );
      }}
    </Loaded>
  );
}

function Day({ day: { day, accesses } }: { day: LookDay }) {
  const when = useWhen();
  const zone = useHomeZone();
  const [newest] = accesses;
  const words = newest ? when.day(new Date(newest.lastTime), zone) : day;
  return (
    <section aria-labelledby={`day-${day}`} className={styles.day}>
      <h2 id={`day-${day}`}>{words}</h2>
      <Card>
        <ul className={styles.looks}>
          {accesses.map((access) => (
            <Look key={access.personId} access={access} />
          ))}
        </ul>
      </Card>
    </section>
  );
}

function Look({ access }: { access: Access }) {
  const t = useTranslations("access.looks");
  const when = useWhen();
  const zone = useHomeZone();
  const format = useFormatter();
  const me = useMe();
  const isMe = access.personId === me.staffMember.id;
  const name = access.personName || t("unknown");
  const first = when.time(new Date(access.firstTime), zone);
  const last = when.time(new Date(access.lastTime), zone);
  return (
    <li className={styles.look}>
      <div>
        <p className={styles.who}>{isMe ? t("you", { name }) : <bdi>{name}</bdi>}</p>
        <Where access={access} />
      </div>
      <p>{format.list(access.kinds.map((kind) => t(`kinds.${kind}`)))}</p>
      <Purposes purposes={access.purposes} />
      <p className={styles.time}>{first === last ? first : t("span", { first, last })}</p>
    </li>
  );
}

function Where({ access }: { access: Access }) {
  const t = useTranslations("access.looks");
  const roles = useTranslations("shell.roles");
  const format = useFormatter();
  const facilities = useFacilities();
  const titles = access.roles.map((role) => {
    const known = role as "nurse";
    return roles.has(known) ? roles(known) : role;
  });
  const [first, ...others] = access.facilityIds.map((id) => facilities.get(id)?.name ?? "");
  return (
    <p className={styles.small}>
      {format.list(titles)}
      {first && titles.length > 0 && " · "}
      {first && (
        <bdi>{others.length > 0 ? t("places", { first, count: others.length }) : first}</bdi>
      )}
    </p>
  );
}

function Purposes({ purposes }: { purposes: string[] }) {
  const t = useTranslations("access");
  const format = useFormatter();
  const others = purposes.filter((purpose) => purpose !== "EMERGENCY");
  const words = others.map((purpose) => {
    const known = `purposes.${purpose}` as "purposes.TREATMENT";
    return t.has(known) ? t(known) : purpose;
  });
  return (
    <p className={styles.purposes}>
      {purposes.includes("EMERGENCY") && (
        <span className={styles.emergency}>
          <IconUrgent size={16} stroke={1.9} aria-hidden="true" /> {t("purposes.EMERGENCY")}
        </span>
      )}
      {format.list(words)}
    </p>
  );
}
