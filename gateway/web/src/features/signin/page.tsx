/** Sign in, and the small page that a sign-in in a second window ends on. */
import { Button } from "@mantine/core";
import { useEffect } from "react";
import { useTranslations } from "use-intl";
import { session, signOut } from "@/api/session";
import { Mark } from "@/ui/mark";
import styles from "./signin.module.css";

export function SignInPage() {
  const t = useTranslations("shell.signIn");
  const next = encodeURIComponent(location.pathname + location.search);
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <Mark />
        <h1>{t("title")}</h1>
        <p>{t("text")}</p>
        <Button component="a" href={`/signin?next=${next}`} size="md" fullWidth>
          {t("button")}
        </Button>
      </div>
    </main>
  );
}

/** Somebody is signed in, and does not work here: most likely a patient. */
export function NotStaffPage() {
  const t = useTranslations("shell.signIn");
  const leave = async () => location.assign(await signOut().catch(() => "/"));
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <Mark />
        <h1>{t("notStaff")}</h1>
        <p>{t("notStaffText")}</p>
        <Button component="a" href="/my" size="md" fullWidth>
          {t("ownRecord")}
        </Button>
        <Button variant="default" fullWidth onClick={() => void leave()}>
          {t("otherAccount")}
        </Button>
      </div>
    </main>
  );
}

export function SignedInPage() {
  const t = useTranslations("shell.signIn");
  useEffect(() => session.tellSignedIn(), []);
  return (
    <main className={styles.page}>
      <div className={styles.card}>
        <Mark />
        <h1>{t("done")}</h1>
        <p>{t("doneText")}</p>
        <Button component="a" href="/" variant="default" fullWidth>
          {t("continue")}
        </Button>
      </div>
    </main>
  );
}
