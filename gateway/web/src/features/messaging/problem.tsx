/** Why something was not saved, beside what was tried. */
import { IconAlertTriangleFilled } from "@tabler/icons-react";
import styles from "./messaging.module.css";

export function Problem({ children }: { children: string }) {
  return (
    <div role="alert">
      {children && (
        <p className={styles.problem}>
          <IconAlertTriangleFilled size={16} aria-hidden="true" />
          <span>{children}</span>
        </p>
      )}
    </div>
  );
}
