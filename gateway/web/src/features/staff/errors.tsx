/** Errors of a form: each at its field, with a summary above that leads there. */
import { useEffect, useRef } from "react";
import { useTranslations } from "use-intl";
import { Failure } from "@/api/client";
import styles from "./staff.module.css";

/** The field that a reason belongs to where the API does not name one. */
const PLACES: Record<string, string> = {
  ACCOUNT_TAKEN: "account",
  OWN_ROLES: "roles",
  ROLE_OUT_OF_REACH: "roles",
  NETWORK_ADMIN_NEEDED: "roles",
  LAST_NETWORK_ADMIN: "roles",
  LEAD_NOT_ACTIVE_MEMBER: "leadId",
  MEMBER_NOT_ACTIVE: "memberIds",
  DUTY_TEAM_EMPTY: "memberIds",
  LEADS_TEAM: "successorId",
  SUCCESSOR_NOT_MEMBER: "successorId",
};

/** What is wrong, by field; what belongs to none stands under "". */
export type Wrongs = Record<string, string>;

/** "staffMember.roles.role" -> "roles". */
function placeOf(field: string): string {
  const parts = field.split(".");
  return (parts.length > 1 ? parts[1] : parts[0]) ?? "";
}

export function useWrongs() {
  const t = useTranslations("staff");
  return (error: unknown): Wrongs => {
    if (!error) return {};
    const failure = error instanceof Failure ? error : new Failure(0);
    const known = `errors.${failure.reason}` as "errors.ACCOUNT_TAKEN";
    const words = t.has(known) ? t(known) : sentence(failure, t);
    const [violation] = failure.fields ?? [];
    const place = violation ? placeOf(violation.field ?? "") : (PLACES[failure.reason] ?? "");
    return { [place]: words };
  };
}

function sentence(failure: Failure, t: ReturnType<typeof useTranslations<"staff">>): string {
  if (!failure.message) return t("reason.noAnswer");
  if (failure.status < 500) return failure.message;
  return t("reason.code", { detail: failure.message, code: failure.code });
}

/** The ids of the fields in the form are `field-<name>`. */
export const fieldId = (name: string) => `field-${name}`;

export function Summary({ wrongs }: { wrongs: Wrongs }) {
  const t = useTranslations("staff");
  const box = useRef<HTMLDivElement>(null);
  const said = JSON.stringify(wrongs);
  useEffect(() => {
    if (said !== "{}") box.current?.focus();
  }, [said]);
  const entries = Object.entries(wrongs);
  if (entries.length === 0) return null;
  return (
    <div ref={box} className={styles.summary} role="alert" tabIndex={-1}>
      <strong>{t("summary", { count: entries.length })}</strong>
      <ul>
        {entries.map(([name, words]) => (
          <li key={name}>
            {name ? (
              <a
                href={`#${fieldId(name)}`}
                onClick={(event) => {
                  event.preventDefault();
                  document.getElementById(fieldId(name))?.focus();
                }}
              >
                {words}
              </a>
            ) : (
              words
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}
