/** What the patient agreed to: asked in words that can be read out, recorded before anything is sent. */
import { Checkbox, Radio, TextInput } from "@mantine/core";
import { useTranslations } from "use-intl";
import type { Match } from "@/api/client";
import type { Given, Item } from "./asking";
import styles from "./referrals.module.css";

interface Props {
  given: Given;
  change: (given: Given) => void;
  service: string;
  items: Item[];
  /** Other services that fit: the patient can agree to them at once. */
  others?: readonly Match[];
}

const FORMS = ["FORM_VERBAL", "FORM_PAPER", "FORM_ELECTRONIC"] as const;

export function ConsentFields({ given, change, service, items, others = [] }: Props) {
  const t = useTranslations("referrals.consent");
  const itemWords = useItemWords();
  return (
    <>
      <p className={styles.say}>
        <b>{t("text", { service })}</b>{" "}
        {items.length > 0 ? t("items", { items: itemWords(items) }) : t("itemsNone")}
      </p>
      <Radio.Group
        label={t("form")}
        value={given.form}
        onChange={(form) => change({ ...given, form: form as Given["form"] })}
      >
        {FORMS.map((form) => (
          <Radio key={form} value={form} label={t(`forms.${form}`)} className={styles.choice} />
        ))}
      </Radio.Group>
      {given.form === "FORM_VERBAL" ? (
        <TextInput
          label={t("witness")}
          maxLength={100}
          value={given.witness}
          onChange={(event) => change({ ...given, witness: event.currentTarget.value })}
        />
      ) : (
        <TextInput
          label={t("evidence")}
          description={t("evidenceHint")}
          maxLength={36}
          value={given.evidenceId}
          onChange={(event) => change({ ...given, evidenceId: event.currentTarget.value })}
        />
      )}
      {others.length > 0 && (
        <Checkbox.Group
          label={t("also")}
          description={t("alsoText")}
          value={given.alsoIds}
          onChange={(alsoIds) => change({ ...given, alsoIds })}
        >
          {others.map(({ service: other }) => (
            <Checkbox
              key={other.id}
              value={other.id}
              label={<bdi>{other.name}</bdi>}
              className={styles.choice}
            />
          ))}
        </Checkbox.Group>
      )}
    </>
  );
}

/** "first name, telephone" */
export function useItemWords(): (items: readonly Item[]) => string {
  const t = useTranslations("referrals.card.items");
  return (items) => items.map((item) => t(item)).join(", ");
}
