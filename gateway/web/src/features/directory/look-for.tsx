/** What is looked for: the need, and what decides who fits. */
import { Button, Checkbox, NativeSelect, TextInput } from "@mantine/core";
import { IconSearch } from "@tabler/icons-react";
import { type FormEvent, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import { languageName } from "@/features/patients/person";
import { useNeedWords } from "@/features/referrals/card";
import { NEEDS, RIDES } from "@/features/referrals/needs";
import { Card } from "@/ui/page";
import styles from "./directory.module.css";
import { ageIn, type Looked } from "./looking";

/** Those that are spoken most where we are; a service says its own. */
const LANGUAGES = ["en", "es", "zh", "vi", "ar", "so", "nv"];

interface Props {
  looked: Looked;
  look: (looked: Looked) => void;
  search: () => void;
}

export function LookFor({ looked, look, search }: Props) {
  const t = useTranslations("directory.look");
  const needOf = useNeedWords();
  const locale = useLocale();
  const [isWrong, wrong] = useState(false);
  const change = (to: Partial<Looked>) => look({ ...looked, ...to });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const isAge = ageIn(looked.age) !== null;
    wrong(!isAge);
    if (isAge) search();
  };
  return (
    <Card className={styles.box}>
      <form onSubmit={submit} className={styles.fields} noValidate aria-label={t("label")}>
        <NativeSelect
          label={t("need")}
          value={looked.need}
          onChange={(event) => change({ need: event.currentTarget.value })}
          data={NEEDS.map((need) => ({ value: need, label: needOf(need) }))}
        />
        <TextInput
          label={t("postalCode")}
          maxLength={10}
          value={looked.postalCode}
          onChange={(event) => change({ postalCode: event.currentTarget.value })}
        />
        <TextInput
          label={t("county")}
          maxLength={100}
          value={looked.county}
          onChange={(event) => change({ county: event.currentTarget.value })}
        />
        <NativeSelect
          label={t("language")}
          value={looked.language}
          onChange={(event) => change({ language: event.currentTarget.value })}
          data={[
            { value: "", label: t("any") },
            ...LANGUAGES.map((value) => ({ value, label: languageName(value, locale) })),
          ]}
        />
        <TextInput
          label={t("age")}
          inputMode="numeric"
          maxLength={3}
          value={looked.age}
          error={isWrong && t("wrongAge")}
          onChange={(event) => change({ age: event.currentTarget.value })}
        />
        {looked.need === RIDES && (
          <Checkbox
            className={styles.check}
            label={t("wheelchair")}
            checked={looked.needsWheelchair}
            onChange={(event) => change({ needsWheelchair: event.currentTarget.checked })}
          />
        )}
        <div className={styles.whole}>
          <Button type="submit" leftSection={<IconSearch size={16} stroke={1.9} />}>
            {t("search")}
          </Button>
        </div>
      </form>
    </Card>
  );
}
