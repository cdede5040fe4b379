/** How a patient is reached: by which channels they allow, when, and who else reads them. */
import { Button } from "@mantine/core";
import {
  IconAlertTriangleFilled,
  IconCheck,
  IconMinus,
  IconQuestionMark,
} from "@tabler/icons-react";
import { type ReactNode, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { Contact, Patient } from "@/api/client";
import { useMay, useMe } from "@/api/queries";
import { languageName, phoneWords } from "@/features/patients/person";
import { Card } from "@/ui/page";
import { Loaded } from "@/ui/states";
import { ContactDialog } from "./contact-dialog";
import { useContact } from "./hooks";
import styles from "./messaging.module.css";

export const CHANNELS = ["sms", "email", "voice"] as const;
export type Channel = (typeof CHANNELS)[number];
export type Consent = Contact["consents"][number]["state"];

export const consentOf = (contact: Contact, channel: Channel): Consent =>
  contact.consents.find((each) => each.channel === channel)?.state ?? "STATE_UNKNOWN";

export function ContactCard({ patient }: { patient: Patient }) {
  const t = useTranslations("messaging.contact");
  const contact = useContact(patient.id);
  const me = useMe();
  const mayWrite = useMay("contacts.write");
  const knows = patient.facilityIds.some((id) => me.facilityIds.includes(id));
  const [isChanging, change] = useState(false);
  return (
    <section aria-labelledby="contact" className={styles.section}>
      <header className={styles.head}>
        <h2 id="contact">{t("title")}</h2>
        {mayWrite && knows && contact.data && (
          <Button variant="default" size="compact-sm" onClick={() => change(true)}>
            {t("change")}
          </Button>
        )}
      </header>
      <Loaded query={contact} title={t("failed")} shape="card">
        {(found) => (
          <Card className={styles.inside}>
            <Facts contact={found} />
          </Card>
        )}
      </Loaded>
      {isChanging && contact.data && (
        <ContactDialog contact={contact.data} close={() => change(false)} />
      )}
    </section>
  );
}

function Facts({ contact }: { contact: Contact }) {
  const t = useTranslations("messaging.contact");
  const locale = useLocale();
  const wishes = contact.wishes;
  const wish = CHANNELS.find((channel) => channel === contact.preferredChannel);
  return (
    <>
      {contact.isDeceased && <p className={styles.standing}>{t("died")}</p>}
      <dl className={styles.facts}>
        <Fact label={t("phone")}>
          {contact.phone ? <bdi>{phoneWords(contact.phone)}</bdi> : t("noPhone")}
          {contact.isSharedPhone && (
            <p className={styles.shared}>
              <IconAlertTriangleFilled size={16} aria-hidden="true" />
              <span>{t("shared")}</span>
            </p>
          )}
          {wishes?.hasNoTexts && (
            <p className={styles.small}>{t(wishes.hasNoCalls ? "noUse" : "noTexts")}</p>
          )}
        </Fact>
        <Fact label={t("email")}>{contact.email ? <bdi>{contact.email}</bdi> : t("noEmail")}</Fact>
        <Fact label={t("language")}>
          {languageName(contact.language, locale) || t("noLanguage")}
          {wishes?.language && wishes.language === contact.language && (
            <p className={styles.small}>{t("fromPlan")}</p>
          )}
        </Fact>
        <Fact label={t("consent")}>
          <ul className={styles.consents}>
            {CHANNELS.map((channel) => (
              <li key={channel}>
                <Sign state={consentOf(contact, channel)} />
                {t(`consents.${consentOf(contact, channel)}`, { channel })}
              </li>
            ))}
          </ul>
        </Fact>
        <Fact label={t("preferred")}>{wish ? t(`channels.${wish}`) : t("noWish")}</Fact>
        <Fact label={t("best")}>
          <Best contact={contact} />
        </Fact>
        {wishes?.sleepsFrom && (
          <Fact label={t("sleep")}>
            {t("hours", { from: wishes.sleepsFrom, until: wishes.sleepsUntil })}
            <p className={styles.small}>{t("fromPlan")}</p>
          </Fact>
        )}
        <Fact label={t("quiet")}>{t("quietText")}</Fact>
      </dl>
    </>
  );
}

/** What people wrote here, else what the care plan says. */
function Best({ contact }: { contact: Contact }) {
  const t = useTranslations("messaging.contact");
  const [from, until] = [contact.bestFromHour, contact.bestUntilHour];
  if (from || until) return t("hours", { from: hourOf(from), until: hourOf(until) });
  if (!contact.wishes?.bestFrom) return t("noHours");
  return (
    <>
      {t("hours", { from: contact.wishes.bestFrom, until: contact.wishes.bestUntil })}
      <p className={styles.small}>{t("fromPlan")}</p>
    </>
  );
}

export const hourOf = (hour: number) => `${String(hour).padStart(2, "0")}:00`;

function Sign({ state }: { state: Consent }) {
  if (state === "STATE_ALLOWED") return <IconCheck size={16} stroke={2.2} aria-hidden="true" />;
  if (state === "STATE_REFUSED") return <IconMinus size={16} stroke={2.2} aria-hidden="true" />;
  return <IconQuestionMark size={16} stroke={1.9} aria-hidden="true" />;
}

function Fact({ label, children }: { label: string; children: ReactNode }) {
  return (
    <div>
      <dt>{label}</dt>
      <dd>{children}</dd>
    </div>
  );
}
