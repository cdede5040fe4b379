/** The words for states, reasons and errors of feeds. */
import { IconAlertTriangleFilled } from "@tabler/icons-react";
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Failure } from "@/api/client";
import styles from "./feeds.module.css";

/** Why a message is where it is: in our words where we have some, else in those of the API, and what mends it. */
export function useReason() {
  const t = useTranslations("feeds.reasons");
  return (reason: string, explanation: string) => {
    type Known = "READER_FAILED";
    const known = reason as Known;
    if (!t.has(`${known}.what`)) return { what: explanation || reason, fix: "" };
    return { what: t(`${known}.what`), fix: t.raw(`${known}.fix`) as string };
  };
}

/** What an error says, in one sentence for the place that it belongs to. */
export function useProblem() {
  const t = useTranslations("feeds.reason");
  return (error: unknown) => {
    const failure = error instanceof Failure ? error : new Failure(0);
    if (!failure.message) return t("noAnswer");
    if (failure.status < 500) return t("said", { detail: failure.message });
    return t("code", { detail: failure.message, code: failure.code });
  };
}

export function Problem({ children }: { children: ReactNode }) {
  return (
    <p role="alert" className={styles.problem}>
      <IconAlertTriangleFilled size={16} aria-hidden="true" />
      <span>{children}</span>
    </p>
  );
}
