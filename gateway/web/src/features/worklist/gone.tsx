/** Why a row leaves the list while somebody looks at it, and by whom. */
import { useTranslations } from "use-intl";
import type { Task } from "@/api/client";
import { useStaff } from "@/api/queries";
import { useTask } from "./hooks";
import { partsOf } from "./owner";
import styles from "./worklist.module.css";

type Why =
  | { word: "left" | "done" | "byMessage" | "cancelled" }
  | { word: "claimed" | "moved"; who: string }
  | { word: "doneBy"; staffId: string };

/** What became of a task. `now`: as it is since, if that is known. Pure. */
export function whyGone(before: Task, now: Task | undefined): Why {
  if (!now) return { word: "left" };
  if (now.state === "STATE_CANCELLED") return { word: "cancelled" };
  if (now.state === "STATE_COMPLETED") {
    return now.completedById
      ? { word: "doneBy", staffId: now.completedById }
      : { word: "byMessage" };
  }
  const who = partsOf(now.owner).name;
  if (!who || now.etag === before.etag) return { word: "left" };
  return { word: now.owner?.staffId ? "claimed" : "moved", who };
}

export function Gone({ task }: { task: Task }) {
  const t = useTranslations("worklist.gone");
  const staff = useStaff(task.facilityId);
  const { data: now } = useTask(task.id, false);
  const why = whyGone(task, now);
  const who =
    why.word === "doneBy"
      ? staff.find(({ id }) => id === why.staffId)?.displayName
      : "who" in why && why.who;
  const word = why.word === "doneBy" && !who ? "done" : why.word;
  return <span className={styles.second}>{t(word, { who: who || "" })}</span>;
}
