/** The words of a timeline's entries. */
import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import type { Encounter, Task } from "@/api/client";
import { useFacilities, useStaff } from "@/api/queries";
import { useOutcomeWords } from "@/features/worklist/next-action";
import { useOwnerWords } from "@/features/worklist/owner";
import { useHomeZone, useWhen } from "@/ui/when";
import { ResultLines } from "./result-lines";
import { isCritical } from "./results";
import { type Entry, nightsOf, whereTo } from "./timeline-entries";

interface Words {
  title: ReactNode;
  detail: ReactNode;
  isStrong: boolean;
}

type Of<W extends Entry["what"]> = Extract<Entry, { what: W }>;

/** Why a loop or a task ended, in words. */
export function useReasonWords(): (reason: string) => string {
  const t = useTranslations("patients.reasons");
  return (reason) => {
    const key = reason as Parameters<typeof t>[0];
    return t(t.has(key) ? key : "other");
  };
}

export function useEntryWords(): (entry: Entry) => Words {
  const t = useTranslations("patients.timeline");
  const tries = useTranslations("worklist.outcomes");
  const outcome = useOutcomeWords();
  const reason = useReasonWords();
  const owner = useOwnerWords();
  const when = useWhen();
  const homeZone = useHomeZone();
  const facilities = useFacilities();
  const staff = useStaff();
  const nameOf = (id: string) =>
    staff.find((one) => one.id === id)?.displayName ?? (id ? "" : t("byMessage"));
  const placeOf = (id: string) => facilities.get(id)?.name ?? "";
  const source = ({ facilityId, visitNumber }: Encounter) =>
    t("source", { place: placeOf(facilityId), number: visitNumber });
  const diagnoses = ({ diagnoses: all }: Encounter) =>
    all
      .map(({ text, code }) => text || code)
      .filter(Boolean)
      .join(", ");

  const admitted = ({ encounter }: Of<"admitted" | "discharged">): Words => ({
    title:
      encounter.state === "STATE_CANCELLED"
        ? t("cancelledVisit")
        : t("admitted", {
            how: t(`admittedAs.${encounter.class}`),
            place: placeOf(encounter.facilityId),
          }),
    detail: [encounter.dischargeTime ? "" : diagnoses(encounter), source(encounter)]
      .filter(Boolean)
      .join(" · "),
    isStrong: true,
  });
  const discharged = ({ encounter }: Of<"admitted" | "discharged">): Words => {
    const nights = nightsOf(encounter);
    const where = t(`where.${whereTo(encounter.dischargeDisposition)}`);
    const stay = nights ? t("dischargedNights", { where, nights }) : t("discharged", { where });
    const isStay = encounter.class === "CLASS_INPATIENT" || encounter.class === "CLASS_OBSERVATION";
    return {
      title: isStay ? stay : t("visitOver"),
      detail: [diagnoses(encounter), source(encounter)].filter(Boolean).join(" · "),
      isStrong: isStay,
    };
  };
  const shown = (kind: string) => {
    const known = `shownBy.${kind}` as "shownBy.ENCOUNTER";
    return t.has(known) ? t(known) : t("byMessage");
  };
  const readBack = ({ readBack: told, facilityId }: Task) =>
    told?.time
      ? t("readBack", {
          name: told.toldName,
          time: when.moment(new Date(told.time), facilities.get(facilityId)?.timeZone ?? homeZone),
        })
      : "";
  const done = ({ task, shownBy }: Of<"done">): Words => ({
    title: task.outcome
      ? t("done", {
          title: task.title,
          outcome: outcome(task, { kind: "outcome", key: task.outcome, closes: true }),
        })
      : t("doneByItself", { title: task.title }),
    detail: shownBy
      ? shown(shownBy)
      : [nameOf(task.completedById), readBack(task)].filter(Boolean).join(" · "),
    isStrong: true,
  });
  const results = ({ observations }: Of<"results">): Words => ({
    title: t("resultsOf", {
      panel: observations[0]?.panel || t("laboratory"),
      count: observations.length,
    }),
    detail: <ResultLines observations={observations} />,
    isStrong: observations.some(isCritical),
  });
  const attempt = ({ task, index, number }: Of<"attempt">): Words => {
    const tried = task.attempts[index];
    const key = (tried?.result ?? "") as Parameters<typeof tries>[0];
    const result = tries.has(key) ? tries(key) : "";
    const who = nameOf(tried?.staffId ?? "");
    return {
      title: tried?.isCounted
        ? t("attempt", { result, number })
        : t("attemptNotCounted", { result }),
      detail: [
        tried?.note && t("note", { text: tried.note }),
        t("attemptBy", { who, title: task.title }),
      ]
        .filter(Boolean)
        .join(" · "),
      isStrong: false,
    };
  };
  const note = ({ task, index }: Of<"note">): Words => {
    const remark = task.comments[index];
    const who = nameOf(remark?.staffId ?? "");
    return {
      title: t("note", { text: remark?.text ?? "" }),
      detail: t("noteBy", { who, title: task.title }),
      isStrong: false,
    };
  };

  return (entry) => {
    switch (entry.what) {
      case "due":
      case "late":
        return {
          title: t(entry.what, { title: entry.task.title }),
          detail: t("owner", { owner: owner(entry.task.owner) }),
          isStrong: entry.what === "late",
        };
      case "keyDate":
        return {
          title: t("keyDate", { title: entry.title }),
          detail: when.counted(entry.explanation, homeZone),
          isStrong: false,
        };
      case "admitted":
        return admitted(entry as Of<"admitted">);
      case "discharged":
        return discharged(entry as Of<"discharged">);
      case "results":
        return results(entry);
      case "done":
        return done(entry as Of<"done">);
      case "cancelled":
        return {
          title: t("cancelled", { title: entry.task.title }),
          detail: "",
          isStrong: false,
        };
      case "attempt":
        return attempt(entry);
      case "note":
        return note(entry);
      case "opened":
        return {
          title: t("loopOpened", { title: entry.loop.title }),
          detail: t("loopWhy", { why: when.sentence(entry.loop.why, homeZone) }),
          isStrong: false,
        };
      case "closed":
        return {
          title: t("loopClosed", {
            title: entry.loop.title,
            reason: reason(entry.loop.closeReason),
          }),
          detail: "",
          isStrong: true,
        };
    }
  };
}
