/** Messages to the patient, the newest first: when, how, in which language, and what came back. */
import { useLocale, useTranslations } from "use-intl";
import type { Patient, PatientMessage } from "@/api/client";
import { useMay } from "@/api/queries";
import { languageName } from "@/features/patients/person";
import { Card } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { useWhen, useZone } from "@/ui/when";
import { type Reply, useMessages } from "./hooks";
import styles from "./messaging.module.css";
import { Write } from "./write";

export function Told({ patient }: { patient: Patient }) {
  const t = useTranslations("messaging.told");
  const messages = useMessages(patient.id);
  const mayWrite = useMay("threads.write");
  return (
    <section aria-labelledby="told" className={styles.section}>
      <h2 id="told">{t("title")}</h2>
      {mayWrite && <Write patient={patient} />}
      <Loaded query={messages} title={t("failed")} shape="card">
        {(found) => (
          <Card>
            {found.length === 0 && <Empty title={t("none")}>{t("noneText")}</Empty>}
            <ul className={styles.list} aria-label={t("title")}>
              {found.map((message) => (
                <Message key={message.id} message={message} />
              ))}
            </ul>
          </Card>
        )}
      </Loaded>
    </section>
  );
}

function Message({ message }: { message: PatientMessage }) {
  const t = useTranslations("messaging.told");
  const locale = useLocale();
  const standing = useStanding(message.facilityId);
  const kind = `templates.${message.template}` as "templates.discharge-next";
  const about = message.template ? t("other") : t("written");
  const language = languageName(message.language, locale);
  return (
    <li className={styles.message} data-state={message.state}>
      <p className={styles.small}>
        <strong>{t.has(kind) ? t(kind) : about}</strong>
      </p>
      {message.text ? (
        <p lang={message.language || undefined} className={styles.words}>
          <bdi>{message.text}</bdi>
        </p>
      ) : (
        <p className={styles.small}>{t("noWords")}</p>
      )}
      <p className={styles.small}>{standing(message)}</p>
      {language && <p className={styles.small}>{t("language", { language })}</p>}
      {message.replies.map((reply) => (
        <Answer
          key={reply.reply.id}
          reply={reply}
          language={message.language}
          facilityId={message.facilityId}
        />
      ))}
    </li>
  );
}

/** "Sent by text message, today 10:05", "Waits for the morning: leaves tomorrow 8:00". */
function useStanding(facilityId: string): (message: PatientMessage) => string {
  const t = useTranslations("messaging.told");
  const when = useWhen();
  const zone = useZone(facilityId);
  const reasons = (reason: string) => {
    const why = `withdrawn.${reason}` as "withdrawn.CHANGED";
    return t.has(why) ? t(why) : t("withdrawn.CHANGED");
  };
  return ({ state, channel, sentTime, dueTime, reason, waitsFor }) => {
    const moment = when.moment(new Date(sentTime ?? dueTime ?? 0), zone);
    const words = {
      STATE_UNSPECIFIED: "",
      STATE_PENDING: waitsFor ? t("waits", { moment }) : t("pending", { moment }),
      STATE_READY: t("ready", { channel, moment }),
      STATE_SENT: t("sent", { channel, moment }),
      STATE_WITHDRAWN: reasons(reason),
    };
    return words[state];
  };
}

interface AnswerProps {
  reply: Reply;
  language: string;
  facilityId: string;
}

function Answer({ reply: { reply, text }, language, facilityId }: AnswerProps) {
  const t = useTranslations("messaging.told");
  const when = useWhen();
  const zone = useZone(facilityId);
  const at = reply.time ? when.moment(new Date(reply.time), zone) : "";
  const barrier = t(`barriers.${reply.barrier}`);
  return (
    <div className={styles.reply} data-is-crisis={reply.meaning === "MEANING_CRISIS"}>
      <p lang={language || undefined} className={styles.words}>
        <bdi>{text}</bdi>
      </p>
      <p className={styles.small}>{t(`meanings.${reply.meaning}`, { at, barrier })}</p>
    </div>
  );
}
