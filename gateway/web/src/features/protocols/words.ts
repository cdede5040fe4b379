/** Deadlines, conditions, roles and ladders in words. */
import { useTranslations } from "use-intl";
import { Failure } from "@/api/client";
import type { Box } from "./layout";
import type { Deadline, Rung, Step } from "./parse";

const NAME = /^(!?)([a-z_][a-z0-9_]*)$/;

const STARTS = {
  hours: "startHours",
  calendar_days: "startDays",
  business_days: "startBusiness",
} as const;

export function useWords() {
  const t = useTranslations("protocols");
  const shell = useTranslations("shell.roles");

  const role = (key: string): string => {
    if (shell.has(key as "nurse")) return shell(key as "nurse");
    if (t.has(`notify.${key as "lead"}`)) return t(`notify.${key as "lead"}`);
    return key.replaceAll("_", " ");
  };
  /** Who hears of it, within a sentence. */
  const who = (key: string): string => role(key).toLocaleLowerCase();

  /** A condition as people say it; an expression that has no name stays as it is. */
  const condition = (when: string): string => {
    if (when === "!encounter.is_discharged") return t("condition.inHospital");
    if (when === "encounter.is_discharged") return t("condition.atHome");
    const [, not, name] = NAME.exec(when) ?? [];
    if (!name) return when;
    const words = name.replaceAll("_", " ");
    return not
      ? t("condition.not", { condition: words })
      : t("condition.named", { condition: words });
  };

  const deadline = ({ unit, count, after }: Deadline): string =>
    t(`deadline.${after}.${unit}`, { count });

  /** "If high risk: by the end of day 7"; "Otherwise: …". */
  const deadlines = (step: Step): string[] =>
    step.deadlines.map((one, at) => {
      const words = deadline(one);
      if (one.when) return t("deadline.if", { condition: condition(one.when), deadline: words });
      return at > 0 ? t("deadline.else", { deadline: words }) : words;
    });

  const start = ({ unit, count, after }: Deadline): string =>
    t(`deadline.${after}.${STARTS[unit]}`, { count });

  const brief = ({ unit, count }: Deadline, from?: Deadline): string => {
    if (from?.unit === unit && unit === "hours") {
      return t("short.hoursFrom", { from: from.count, count });
    }
    if (from?.unit === unit && unit === "calendar_days") {
      return t("short.daysFrom", { from: from.count, count });
    }
    return t(`short.${unit}`, { count });
  };

  /** What stands in a box: "by day 7 if high risk". */
  const inBox = ({ step, deadline: ends, isElse }: Box): string => {
    const words = brief(ends, isElse ? undefined : step.start);
    if (isElse) return t("short.else", { deadline: words });
    const when = ends.when || (NAME.test(step.when) ? step.when : "");
    return when ? t("short.if", { deadline: words, condition: condition(when) }) : words;
  };

  const rung = ({ at, hoursLate, notify }: Rung): string => {
    if (hoursLate !== undefined) return t("rung.after", { hours: hoursLate, who: who(notify) });
    if (at === 100) return t("rung.late", { who: who(notify) });
    return t("rung.at", { percent: at ?? 0, who: who(notify) });
  };

  const longRung = ({ at, hoursLate, notify, by }: Rung): string => {
    const words =
      hoursLate !== undefined
        ? t("rung.longAfter", { hours: hoursLate, who: who(notify) })
        : at === 100
          ? t("rung.longLate", { who: who(notify) })
          : t("rung.longAt", { percent: at ?? 0, who: who(notify) });
    return by.includes("email") ? `${words}, ${t("rung.email")}` : words;
  };

  return { role, condition, deadline, deadlines, start, inBox, rung, longRung };
}

/** What an error says, in one sentence. */
export function useProblem() {
  const t = useTranslations("protocols.reason");
  return (error: unknown) => {
    const failure = error instanceof Failure ? error : new Failure(0);
    if (!failure.message) return t("noAnswer");
    if (failure.status < 500) return failure.message;
    return t("code", { detail: failure.message, code: failure.code });
  };
}
