/** Asks whoever is signed in to confirm that it is them. Signing in anew happens in another window, so that what was typed stays. */
import { Button } from "@mantine/core";
import { IconShieldLock } from "@tabler/icons-react";
import { useEffect } from "react";
import { useTranslations } from "use-intl";
import { session } from "@/api/session";
import styles from "./signin.module.css";

const CONFIRM = "/signin?acr=2&max_age=300&next=/signed-in";

export function Confirm({ text }: { text: string }) {
  const t = useTranslations("emergency.form");
  return (
    <div className={styles.confirm} role="alert">
      <IconShieldLock size={18} stroke={1.9} aria-hidden="true" />
      <div>
        <p>{text}</p>
        <Button component="a" href={CONFIRM} target="_blank" size="sm" autoFocus>
          {t("confirm")}
        </Button>
      </div>
    </div>
  );
}

/** Send again what was refused for want of it. */
export function useOnceConfirmed(isWaiting: boolean, send: () => void) {
  useEffect(() => (isWaiting ? session.onSignedIn(send) : undefined), [isWaiting, send]);
}
