/** One service of the directory: whom it is for, when it is there, how it is reached, and asking it for a patient. */
import { Button } from "@mantine/core";
import { IconPhone } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import type { Match } from "@/api/client";
import { useMay } from "@/api/queries";
import { SearchBox } from "@/features/patients/search-box";
import { useNeedWords } from "@/features/referrals/card";
import { Capacity, Reasons } from "@/features/referrals/matches";
import { Dialog } from "@/ui/dialog";
import { Detail, DetailHead } from "@/ui/list-and-detail";
import { Loaded } from "@/ui/states";
import { useWhen } from "@/ui/when";
import { CapacityDialog } from "./capacity-dialog";
import styles from "./directory.module.css";
import { type Service, useService } from "./hooks";
import { useAgeWords, useAreaWords, useHoursWords, useLanguageWords } from "./words";

interface Props {
  serviceId: string;
  /** How it fits what was looked for, if something was. */
  match: Match | undefined;
  need: string | undefined;
  close: () => void;
}

const saysWhy = ({ reasons }: Match) => reasons.some(({ code }) => code !== "CAPACITY");

export function ServiceDetail({ serviceId, match, need, close }: Props) {
  const t = useTranslations("directory");
  const service = useService(serviceId);
  return (
    <Detail label={t("one")}>
      {!service.data && (
        <DetailHead close={close} closeLabel={t("close")}>
          {t("one")}
        </DetailHead>
      )}
      <Loaded query={service} title={t("failedOne")} shape="card">
        {(found) => (
          <>
            <Head service={found} close={close} />
            <Doings service={found} need={need} />
            {match && saysWhy(match) && (
              <section aria-labelledby="fit">
                <h3 id="fit">{t(match.fits ? "whyFits" : "whyNot")}</h3>
                <Reasons match={match} />
              </section>
            )}
            <Facts service={found} />
          </>
        )}
      </Loaded>
    </Detail>
  );
}

function Head({ service, close }: { service: Service; close: () => void }) {
  const t = useTranslations("directory");
  return (
    <>
      <DetailHead
        below={<bdi className={styles.small}>{service.organizationName}</bdi>}
        close={close}
        closeLabel={t("close")}
      >
        <bdi>{service.name}</bdi>
      </DetailHead>
      {service.description && <p>{service.description}</p>}
      <div className={styles.capacity}>
        <Capacity service={service} />
        {service.capacity?.wait && <p>{t("wait", { wait: service.capacity.wait })}</p>}
      </div>
    </>
  );
}

/** The referral is made where the patient is: there consent is asked, and what may be told. */
function Doings({ service, need }: { service: Service; need: string | undefined }) {
  const t = useTranslations("directory");
  const go = useNavigate();
  const [mayRefer, mayFind] = [useMay("referrals.write"), useMay("patients.read")];
  const maySay = useMay("directory.write");
  const [open, show] = useState<"whom" | "capacity">();
  const close = () => show(undefined);
  const [phone] = service.phones;
  const refer = (patientId: string) =>
    void go({
      to: "/patients/$patientId/help",
      params: { patientId },
      search: { service: service.id },
      // What somebody needs stands in no address.
      state: (old) => ({ ...old, need }),
    });
  return (
    <div className={styles.actions}>
      {mayRefer && mayFind && <Button onClick={() => show("whom")}>{t("refer")}</Button>}
      {phone && (
        <Button
          component="a"
          href={`tel:${phone.replace(/[^\d+]/g, "")}`}
          variant="default"
          leftSection={<IconPhone size={16} stroke={1.9} aria-hidden="true" />}
        >
          {t("call", { phone })}
        </Button>
      )}
      {maySay && (
        <Button variant="default" onClick={() => show("capacity")}>
          {t("told")}
        </Button>
      )}
      {open === "whom" && (
        <Dialog title={t("whom")} close={close} closeLabel={t("close")} size="lg" isAtTop>
          <SearchBox choose={({ id }) => refer(id)} />
        </Dialog>
      )}
      {open === "capacity" && <CapacityDialog service={service} close={close} />}
    </div>
  );
}

function Facts({ service }: { service: Service }) {
  const t = useTranslations("directory.facts");
  const needOf = useNeedWords();
  const areaOf = useAreaWords();
  const languagesOf = useLanguageWords();
  const ageOf = useAgeWords();
  const hours = useHoursWords()(service);
  const when = useWhen();
  const isActive = service.status === "active";
  return (
    <dl className={styles.facts}>
      {!isActive && <Fact name={t("status")}>{t("notActive", { status: service.status })}</Fact>}
      <Fact name={t("needs")}>{service.needs.map(needOf).join(", ")}</Fact>
      <Fact name={t("eligibility")}>{service.eligibility || t("anybody")}</Fact>
      <Fact name={t("age")}>{ageOf(service)}</Fact>
      <Fact name={t("times")}>
        {hours.length === 0
          ? t("timesUnknown")
          : hours.map((line) => (
              <span key={line} className={styles.line}>
                {line}
              </span>
            ))}
      </Fact>
      <Fact name={t("area")}>{areaOf(service)}</Fact>
      <Fact name={t("languages")}>{languagesOf(service)}</Fact>
      {service.drivers > 0 && (
        <Fact name={t("rides")}>
          {t("ridesText", {
            count: service.drivers,
            wheelchair: service.isWheelchairAccessible ? "yes" : "no",
          })}
        </Fact>
      )}
      <Fact name={t("contact")}>
        {[...service.phones, service.hasEmail ? t("email") : ""].filter(Boolean).join(" · ") ||
          t("contactUnknown")}
      </Fact>
      <Fact name={t("answers")}>
        {service.answerHours > 0 ? t("answersIn", { hours: service.answerHours }) : t("asRule")}
      </Fact>
      <Fact name={t("assured")}>
        {service.assuredDate ? when.sentence(service.assuredDate, "UTC") : t("never")}
      </Fact>
    </dl>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </>
  );
}
