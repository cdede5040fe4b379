/** How the patient wants to be met: language, telephone, the best time; what nobody asked is not shown. */
import { useLocale, useTranslations } from "use-intl";
import { languageName } from "@/features/patients/person";
import { Card } from "@/ui/page";
import { Failed } from "@/ui/states";
import styles from "./careplans.module.css";
import { usePreferences } from "./hooks";

export function Wishes({ patientId }: { patientId: string }) {
  const t = useTranslations("careplans.wishes");
  const { data, error, refetch } = usePreferences(patientId);
  if (error && data === undefined) {
    return <Failed title={t("failed")} error={error} retry={() => void refetch()} />;
  }
  return data === undefined ? null : <Said of={data} />;
}

function Said({ of: data }: { of: NonNullable<ReturnType<typeof usePreferences>["data"]> | null }) {
  const t = useTranslations("careplans.wishes");
  const locale = useLocale();
  const spans = data && {
    best: [data.bestFrom, data.bestUntil],
    sleeps: [data.sleepsFrom, data.sleepsUntil],
  };
  const said =
    data && spans
      ? [
          [t("language"), languageName(data.language, locale)],
          [t("interpreter"), data.needsInterpreter && t("needed")],
          [t("telephone"), t(`telephones.${data.telephone}`)],
          [
            t("best"),
            spans.best[0] && t("span", { from: spans.best[0], until: spans.best[1] ?? "" }),
          ],
          [t("nights"), data.worksNights && t("yes")],
          [
            t("sleeps"),
            spans.sleeps[0] && t("span", { from: spans.sleeps[0], until: spans.sleeps[1] ?? "" }),
          ],
          [t("reading"), t(`readings.${data.reading}`)],
          [t("food"), data.food],
          [t("faith"), data.faith],
        ].filter(([, words]) => words)
      : [];
  return (
    <section aria-labelledby="wishes" className={styles.section}>
      <h2 id="wishes">{t("title")}</h2>
      <Card>
        {said.length === 0 && <p className={styles.quiet}>{t("none")}</p>}
        <dl className={styles.wishes}>
          {said.map(([what, words]) => (
            <div key={String(what)}>
              <dt>{what}</dt>
              <dd>
                <bdi>{words}</bdi>
              </dd>
            </div>
          ))}
        </dl>
      </Card>
    </section>
  );
}
