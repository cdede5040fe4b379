/** What is free, by day and by whose time it is: one group of choices, moved through with arrows. */
import { Button } from "@mantine/core";
import { IconCalendar } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Slot } from "@/api/client";
import { useFacilities } from "@/api/queries";
import { Card } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { useWhen } from "@/ui/when";
import styles from "./appointments.module.css";
import { partsOf, shifted } from "./days";
import { type Sought, useFreeSlots, WINDOW_DAYS } from "./hooks";
import { type Offer, offersOf } from "./standing";

/** So many groups are shown before somebody asks for more. */
const FIRST = 6;

interface Props {
  sought: Sought;
  chosen: Slot | undefined;
  choose: (slot: Slot) => void;
  look: (from: string) => void;
}

export function FreeSlots({ sought, chosen, choose, look }: Props) {
  const t = useTranslations("appointments.book");
  const when = useWhen();
  const facility = useFacilities().get(sought.facilityId)?.name ?? "";
  const free = useFreeSlots(sought);
  const later = () => look(shifted(sought.from, WINDOW_DAYS));
  const until = when.date(partsOf(shifted(sought.from, WINDOW_DAYS - 1)), "UTC");
  return (
    <section aria-labelledby="free" className={styles.section}>
      <div className={styles.head}>
        <h2 id="free">{t("free")}</h2>
        <p className={styles.small}>{t("freeClock", { facility })}</p>
      </div>
      <Loaded query={free} title={t("failed")}>
        {({ slots, hasMore }) =>
          slots.length === 0 ? (
            <Card>
              <Empty
                title={t("nothing", { until })}
                icon={<IconCalendar size={22} stroke={1.9} />}
                actions={<Button onClick={later}>{t("later")}</Button>}
              >
                {t("nothingText")}
              </Empty>
            </Card>
          ) : (
            <>
              <Offers
                offers={offersOf(slots, sought.zone)}
                zone={sought.zone}
                {...{ chosen, choose }}
              />
              <div className={styles.actions}>
                <Button variant="default" onClick={later}>
                  {t("later")}
                </Button>
                <p className={styles.small}>{t(hasMore ? "tooMany" : "seen", { until })}</p>
              </div>
            </>
          )
        }
      </Loaded>
    </section>
  );
}

interface OffersProps {
  offers: Offer[];
  zone: string;
  chosen: Slot | undefined;
  choose: (slot: Slot) => void;
}

function Offers({ offers, zone, chosen, choose }: OffersProps) {
  const t = useTranslations("appointments.book");
  const when = useWhen();
  const [isAll, showAll] = useState(false);
  const shown = isAll ? offers : offers.slice(0, FIRST);
  const isChosen = (slot: Slot) =>
    slot.scheduleId === chosen?.scheduleId && slot.startTime === chosen.startTime;
  return (
    <Card className={styles.box}>
      {shown.map(({ key, day, practitioner, slots }) => (
        <fieldset key={key} className={styles.offer}>
          <legend>{t("offer", { day: when.date(partsOf(day), "UTC"), whom: practitioner })}</legend>
          <div className={styles.times}>
            {slots.map((slot) => (
              <label key={slot.startTime} className={styles.slot}>
                <input
                  type="radio"
                  name="slot"
                  checked={isChosen(slot)}
                  onChange={() => choose(slot)}
                />
                <span>{when.time(new Date(slot.startTime ?? 0), zone)}</span>
              </label>
            ))}
          </div>
        </fieldset>
      ))}
      {offers.length > shown.length && (
        <Button variant="subtle" size="compact-sm" onClick={() => showAll(true)}>
          {t("moreDays", { count: offers.length - shown.length })}
        </Button>
      )}
    </Card>
  );
}
