/** What is needed, when and where: what the directory is asked. */
import { Button, Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import { useFacilities } from "@/api/queries";
import { languageName } from "@/features/patients/person";
import { LANGUAGES } from "@/i18n/language";
import { Card } from "@/ui/page";
import { useNow, useZone } from "@/ui/when";
import { type Asked, isRide, type Missing, missingOf } from "./asking";
import { useNeedWords } from "./card";
import { NEEDS } from "./needs";
import styles from "./referrals.module.css";

interface Props {
  asked: Asked;
  ask: (asked: Asked) => void;
  places: string[];
  search: () => void;
  /** What was found is about what stands here. */
  isFound: boolean;
}

export function What({ asked, ask, places, search, isFound }: Props) {
  const t = useTranslations("referrals.page");
  const needOf = useNeedWords();
  const facilities = useFacilities();
  const zone = useZone(asked.facilityId);
  const now = useNow();
  const [missing, miss] = useState<Missing | null>(null);
  const isARide = isRide(asked);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found = missingOf(asked, zone, now);
    miss(found);
    if (!found) search();
  };
  return (
    <section aria-labelledby="what">
      <h2 id="what">{t("what")}</h2>
      <Card className={styles.box}>
        <form onSubmit={submit} className={styles.form} noValidate>
          <NativeSelect
            label={t("need")}
            value={asked.need}
            onChange={(event) => ask({ ...asked, need: event.currentTarget.value })}
            data={NEEDS.map((need) => ({ value: need, label: needOf(need) }))}
          />
          {places.length > 1 && (
            <NativeSelect
              label={t("facility")}
              value={asked.facilityId}
              onChange={(event) => ask({ ...asked, facilityId: event.currentTarget.value })}
              data={places.map((id) => ({ value: id, label: facilities.get(id)?.name ?? "" }))}
            />
          )}
          <div className={styles.pair}>
            {(["start", "end"] as const).map((field) => (
              <TextInput
                key={field}
                type="datetime-local"
                label={t(isARide ? field : `${field}Optional`)}
                value={asked[field]}
                onChange={(event) => ask({ ...asked, [field]: event.currentTarget.value })}
              />
            ))}
          </div>
          <TextInput
            label={t("postalCode")}
            description={t("fromRecord")}
            maxLength={10}
            value={asked.postalCode}
            onChange={(event) => ask({ ...asked, postalCode: event.currentTarget.value })}
          />
          <Language asked={asked} ask={ask} />
          {isARide && (
            <Checkbox
              label={t("wheelchair")}
              checked={asked.needsWheelchair}
              onChange={(event) => ask({ ...asked, needsWheelchair: event.currentTarget.checked })}
            />
          )}
          {missing && (
            <p role="alert" className={styles.error}>
              {t(`missing.${missing}`)}
            </p>
          )}
          <div className={styles.actions}>
            <Button
              type="submit"
              variant={isFound ? "default" : "filled"}
              leftSection={<IconSearch size={16} stroke={1.9} />}
            >
              {t("search")}
            </Button>
          </div>
        </form>
      </Card>
    </section>
  );
}

function Language({ asked, ask }: Pick<Props, "asked" | "ask">) {
  const t = useTranslations("referrals.page");
  const locale = useLocale();
  const tags = new Set([...Object.keys(LANGUAGES), asked.language].filter(Boolean));
  return (
    <NativeSelect
      label={t("language")}
      value={asked.language}
      onChange={(event) => ask({ ...asked, language: event.currentTarget.value })}
      data={[
        { value: "", label: t("languageAny") },
        ...[...tags].map((value) => ({ value, label: languageName(value, locale) })),
      ]}
    />
  );
}
