/** Who this is, at the top of every patient page. */
import {
  IconBuildingHospital,
  IconCalendar,
  IconEye,
  IconLanguage,
  IconMapPin,
  IconMessages,
  IconPhone,
  IconShieldLock,
  IconSignature,
  IconTargetArrow,
  IconUserPlus,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { Loop, Patient } from "@/api/client";
import { useFacilities, useMay } from "@/api/queries";
import { useOwnerWords } from "@/features/worklist/owner";
import { ageOn, partsIn } from "@/ui/moments";
import { useNow, useWhen, useZone } from "@/ui/when";
import { addressOf, languageName, nameOf, phoneOf, phoneWords } from "./person";
import { Risk } from "./risk";
import styles from "./storyboard.module.css";

export function Storyboard({ patient, loop }: { patient: Patient; loop: Loop | undefined }) {
  const t = useTranslations("patients.board");
  const owner = useOwnerWords();
  return (
    <header className={styles.board}>
      <Identity patient={patient} />
      <Language patient={patient} />
      <Phones patient={patient} />
      <Fact icon={<IconMapPin size={14} stroke={1.9} />} label={t("home")}>
        <bdi>{addressOf(patient) || t("noHome")}</bdi>
      </Fact>
      <Fact icon={<IconUserPlus size={14} stroke={1.9} />} label={t("answers")}>
        <bdi>{owner(loop?.owner) || t("nobody")}</bdi>
      </Fact>
      <KnownAt patient={patient} />
      <Sharing />
      <Risk patientId={patient.id} />
      <Pages patient={patient} />
    </header>
  );
}

function Identity({ patient }: { patient: Patient }) {
  const t = useTranslations("patients.person");
  const when = useWhen();
  const now = useNow();
  const zone = useZone(patient.facilityId);
  const age = ageOn(patient.birthDate, partsIn(zone, now));
  const sex = t(`sex.${patient.sex}`);
  const born = when.birth(patient.birthDate);
  // Who sees a record in an emergency is not told where else it is from.
  const count = patient.facilityIds.length;
  const [number] = patient.identifiers.filter(({ type }) => type === "MR" || type === "");
  return (
    <div className={styles.identity}>
      <h1>
        <bdi>{nameOf(patient)}</bdi>
      </h1>
      <p>{age === null ? t("lineNoAge", { sex }) : t("line", { age, sex, born })}</p>
      {patient.isDeceased && (
        <p className={styles.died}>
          {patient.deathTime
            ? t("died", { when: when.moment(new Date(patient.deathTime), zone) })
            : t("diedUnknown")}
        </p>
      )}
      <p className={styles.small}>
        {number && <bdi>{t("id", { id: `${number.assigner} ${number.value}` })}</bdi>}
        {number && count > 0 && " · "}
        {count > 0 && t("records", { count })}
      </p>
    </div>
  );
}

function Language({ patient }: { patient: Patient }) {
  const t = useTranslations("patients.board");
  const locale = useLocale();
  const language = languageName(patient.language, locale);
  const isOther = Boolean(patient.language) && !patient.language.startsWith("en");
  return (
    <Fact
      icon={<IconLanguage size={14} stroke={1.9} />}
      label={t("language")}
      detail={isOther && t("interpreter")}
    >
      {language || t("languageUnknown")}
    </Fact>
  );
}

function Phones({ patient }: { patient: Patient }) {
  const t = useTranslations("patients.board");
  const phone = phoneOf(patient);
  const others = patient.telecoms.filter(({ system }) => system === "SYSTEM_PHONE").length - 1;
  return (
    <Fact
      icon={<IconPhone size={14} stroke={1.9} />}
      label={t("phone")}
      detail={others > 0 && t("otherPhones", { count: others })}
    >
      {phone ? (
        <a href={`tel:${phone}`} className={styles.phone}>
          <bdi>{phoneWords(phone)}</bdi>
        </a>
      ) : (
        t("noPhone")
      )}
    </Fact>
  );
}

function KnownAt({ patient }: { patient: Patient }) {
  const t = useTranslations("patients.board");
  const facilities = useFacilities();
  const names = patient.facilityIds.map((id) => facilities.get(id)?.name).filter(Boolean);
  if (names.length === 0) return null;
  return (
    <Fact icon={<IconBuildingHospital size={14} stroke={1.9} />} label={t("knownAt")}>
      <bdi>{names.join(", ")}</bdi>
    </Fact>
  );
}

/** The same words for every patient, whatever is shared and whatever is not. */
function Sharing() {
  const t = useTranslations("patients.board");
  return (
    <Fact icon={<IconShieldLock size={14} stroke={1.9} />} label={t("sharing")}>
      {t("byConsent")}
    </Fact>
  );
}

/** Where there is more about them. */
function Pages({ patient: { id } }: { patient: Patient }) {
  const t = useTranslations();
  const mayAppointments = useMay("appointments.read");
  const mayPlan = useMay("care_plans.read");
  const mayThreads = useMay("threads.read");
  const mayConsents = useMay("consents.read");
  const params = { patientId: id };
  return (
    <nav className={styles.pages} aria-label={t("patients.board.pages")}>
      {mayAppointments && (
        <Link to="/patients/$patientId/appointments" params={params} className={styles.link}>
          <IconCalendar size={14} stroke={1.9} aria-hidden="true" />{" "}
          {t("appointments.patient.open")}
        </Link>
      )}
      {mayPlan && (
        <Link to="/patients/$patientId/plan" params={params} className={styles.link}>
          <IconTargetArrow size={14} stroke={1.9} aria-hidden="true" /> {t("careplans.open")}
        </Link>
      )}
      {mayThreads && (
        <Link to="/patients/$patientId/messages" params={params} className={styles.link}>
          <IconMessages size={14} stroke={1.9} aria-hidden="true" /> {t("messaging.open")}
        </Link>
      )}
      <Link to="/patients/$patientId/access" params={params} className={styles.link}>
        <IconEye size={14} stroke={1.9} aria-hidden="true" /> {t("patients.board.whoSaw")}
      </Link>
      {mayConsents && (
        <Link to="/patients/$patientId/consents" params={params} className={styles.link}>
          <IconSignature size={14} stroke={1.9} aria-hidden="true" /> {t("patients.board.consents")}
        </Link>
      )}
    </nav>
  );
}

interface FactProps {
  icon: ReactNode;
  label: string;
  children: ReactNode;
  detail?: ReactNode;
}

function Fact({ icon, label, children, detail }: FactProps) {
  return (
    <div className={styles.fact}>
      <p className={styles.factLabel}>
        <span aria-hidden="true">{icon}</span> {label}
      </p>
      <p className={styles.factValue}>{children}</p>
      {detail && <p className={styles.small}>{detail}</p>}
    </div>
  );
}
