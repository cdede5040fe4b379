/** A count with the late ones of it: how many in numbers, and in words for those who listen. */
import { VisuallyHidden } from "@mantine/core";
import { IconAlertTriangleFilled } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import styles from "./counted.module.css";

/** The API counts no further. */
const MOST = 999;
/** So many digits of both numbers together have room in the menu. */
const ROOM = 4;

interface CountedProps {
  open: number;
  late: number;
  /** In little room the late ones of many stand alone; whoever listens hears both numbers. */
  isTight?: boolean;
}

export function Counted({ open, late, isTight = false }: CountedProps) {
  const t = useTranslations("shell.count");
  const short = (count: number) =>
    count > MOST ? t("more", { count: MOST }) : t("exact", { count });
  if (open === 0) return null;
  const digits = `${late}${open}`.length;
  const isLateAlone = isTight && late > 0 && digits > ROOM;
  const spoken = late > 0 ? t("spokenLate", { open: short(open), late: short(late) }) : short(open);
  return (
    <span className={styles.counted} title={late > 0 ? spoken : undefined}>
      <VisuallyHidden>{spoken}</VisuallyHidden>
      {late > 0 && (
        <span className={styles.late} data-what="late" aria-hidden="true">
          <IconAlertTriangleFilled size={12} />
          {short(late)}
        </span>
      )}
      {!isLateAlone && (
        <span data-what="open" aria-hidden="true">
          {short(open)}
        </span>
      )}
    </span>
  );
}
