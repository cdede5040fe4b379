/** The fields of a consent, in the order in which one talks about it. */
import { Checkbox, MultiSelect, NativeSelect, Radio, TextInput } from "@mantine/core";
import { useTranslations } from "use-intl";
import { useFacilities } from "@/api/queries";
import { wordOf } from "@/features/access/words";
import { fieldId, type Wrongs } from "@/features/staff/errors";
import { useNow, useZone } from "@/ui/when";
import styles from "./consents.module.css";
import { type Draft, dayOf, scopeOf } from "./draft";
import { useProxies } from "./hooks";
import { classesWith, type Decision, FORMS, type Form, LABELS, PURPOSES } from "./terms";
import { kindOf } from "./use-words";
import { useReaders, useSources } from "./whom";

interface Props {
  draft: Draft;
  patientId: string;
  places: readonly string[];
  /** Where it is recorded stays as it is. */
  isFixed: boolean;
  wrongs: Wrongs;
  change: (part: Partial<Draft>) => void;
}

export function Fields(props: Props) {
  return (
    <>
      <DecisionField {...props} />
      <Whom {...props} />
      <Scope {...props} />
      <Days {...props} />
      <Evidence {...props} />
    </>
  );
}

function DecisionField({ draft, change }: Props) {
  const t = useTranslations("consents.form");
  return (
    <Radio.Group
      label={t("decision")}
      value={draft.decision}
      onChange={(value) => {
        const decision = value as Decision;
        change({ decision, ...scopeOf(decision) });
      }}
    >
      <div className={styles.choices}>
        <Radio value="DECISION_PERMIT" label={t("permit")} />
        <Radio value="DECISION_DENY" label={t("deny")} />
      </div>
    </Radio.Group>
  );
}

function Whom({ draft, patientId, wrongs, change }: Props) {
  const t = useTranslations("consents.form");
  const isPermit = draft.decision === "DECISION_PERMIT";
  const readers = useReaders(patientId, isPermit);
  const sources = useSources();
  const shared = {
    searchable: true,
    openOnFocus: false,
    hidePickedOptions: true,
    nothingFoundMessage: t("nothingFound"),
    limit: 100,
  };
  return (
    <>
      <MultiSelect
        {...shared}
        id={fieldId("recipients")}
        label={isPermit ? t("recipients") : t("recipientsDeny")}
        description={isPermit ? t("recipientsNone") : t("recipientsNoneDeny")}
        data={readers}
        value={draft.recipientIds}
        onChange={(recipientIds) => change({ recipientIds })}
        error={wrongs.recipients}
      />
      <MultiSelect
        {...shared}
        id={fieldId("sources")}
        label={t("sources")}
        description={t("sourcesNone")}
        data={sources}
        value={draft.sourceIds}
        onChange={(sourceIds) => change({ sourceIds })}
        error={wrongs.sources}
      />
    </>
  );
}

function Scope({ draft, wrongs, change }: Props) {
  const t = useTranslations("consents.form");
  const words = useTranslations("access");
  const isPermit = draft.decision === "DECISION_PERMIT";
  const hint = isPermit ? t("someNeeded") : t("noneIsAll");
  return (
    <>
      <Choices
        name="purposes"
        {...{ hint, draft, wrongs, change }}
        options={PURPOSES.map((each) => ({
          value: each,
          label: words(`purposes.${wordOf(each) as "TREATMENT"}`),
        }))}
      />
      <Choices
        name="labels"
        {...{ draft, wrongs, change }}
        hint={isPermit ? `${hint} ${t("notesApart")}` : hint}
        options={LABELS.map((each) => ({
          value: each,
          label: words(`labels.${wordOf(each) as "HIV"}`),
        }))}
      />
      <Choices
        name="dataClasses"
        {...{ hint, draft, wrongs, change }}
        options={classesWith(draft.dataClasses).map((each) => ({
          value: each,
          label: capital(words(`classes.${wordOf(each) as "VISITS"}`)),
        }))}
      />
    </>
  );
}

/** As the first word of its line. */
const capital = (words: string) => words.charAt(0).toLocaleUpperCase() + words.slice(1);

interface ChoicesProps extends Pick<Props, "draft" | "wrongs" | "change"> {
  name: "purposes" | "labels" | "dataClasses";
  hint: string;
  options: { value: string; label: string }[];
}

function Choices({ name, hint, options, draft, wrongs, change }: ChoicesProps) {
  const t = useTranslations("consents.form");
  const chosen: readonly string[] = draft[name];
  const turn = (value: string, isIn: boolean) =>
    change({ [name]: isIn ? [...chosen, value] : chosen.filter((each) => each !== value) });
  return (
    <fieldset className={styles.fieldset}>
      <legend id={fieldId(name)} tabIndex={-1}>
        {t(name)}
      </legend>
      <p className={styles.hint}>{hint}</p>
      {wrongs[name] && <p className={styles.wrong}>{wrongs[name]}</p>}
      <div className={styles.boxes}>
        {options.map(({ value, label }) => (
          <Checkbox
            key={value}
            size="xs"
            label={label}
            checked={chosen.includes(value)}
            onChange={(event) => turn(value, event.currentTarget.checked)}
          />
        ))}
      </div>
    </fieldset>
  );
}

function Days({ draft, wrongs, change }: Props) {
  const t = useTranslations("consents.form");
  const today = dayOf(useNow(), useZone(draft.facilityId));
  return (
    <div className={styles.days}>
      <TextInput
        type="date"
        id={fieldId("given")}
        label={t("given")}
        max={today}
        value={draft.given}
        onChange={(event) => change({ given: event.currentTarget.value })}
        error={wrongs.given}
      />
      <TextInput
        type="date"
        id={fieldId("start")}
        label={t("start")}
        description={t("startHint")}
        value={draft.start}
        onChange={(event) => change({ start: event.currentTarget.value })}
        error={wrongs.start}
      />
      <TextInput
        type="date"
        id={fieldId("end")}
        label={t("end")}
        description={t("endHint")}
        value={draft.end}
        onChange={(event) => change({ end: event.currentTarget.value })}
        error={wrongs.end}
      />
    </div>
  );
}

function Evidence({ draft, patientId, places, isFixed, wrongs, change }: Props) {
  const t = useTranslations("consents.form");
  const facilities = useFacilities();
  const givers = useGivers(patientId);
  const isSpoken = draft.form === "FORM_VERBAL";
  return (
    <>
      {givers.length > 1 && (
        <NativeSelect
          id={fieldId("givenById")}
          label={t("giver")}
          value={draft.givenById}
          onChange={(event) => change({ givenById: event.currentTarget.value })}
          data={givers}
        />
      )}
      <Radio.Group
        id={fieldId("form")}
        label={t("form")}
        description={isSpoken && t("verbalHint")}
        value={draft.form}
        onChange={(value) => change({ form: value as Form })}
        error={wrongs.form}
      >
        <div className={styles.choices}>
          {FORMS.map((each) => (
            <Radio key={each} value={each} label={t(`forms.${each}`)} />
          ))}
        </div>
      </Radio.Group>
      <Checkbox
        id={fieldId("hasEvidence")}
        label={t("hasEvidence")}
        description={t("hasEvidenceHint")}
        checked={draft.hasEvidence}
        onChange={(event) => change({ hasEvidence: event.currentTarget.checked })}
        error={wrongs.hasEvidence}
      />
      <TextInput
        id={fieldId("evidenceNote")}
        label={t("note")}
        description={t("noteHint")}
        value={draft.evidenceNote}
        onChange={(event) => change({ evidenceNote: event.currentTarget.value })}
        error={wrongs.evidenceNote}
        maxLength={200}
        autoComplete="off"
      />
      <TextInput
        id={fieldId("evidenceId")}
        label={t("reference")}
        description={t("referenceHint")}
        value={draft.evidenceId}
        onChange={(event) => change({ evidenceId: event.currentTarget.value.trim() })}
        error={wrongs.evidenceId}
        autoComplete="off"
        spellCheck={false}
      />
      {!isFixed && places.length > 1 && (
        <NativeSelect
          id={fieldId("facilityId")}
          label={t("place")}
          description={t("placeHint")}
          value={draft.facilityId}
          onChange={(event) => change({ facilityId: event.currentTarget.value })}
          error={wrongs.facilityId}
          data={places.map((id) => ({ value: id, label: facilities.get(id)?.name ?? id }))}
        />
      )}
    </>
  );
}

/** The patient, and those on record who may consent for them. Caregivers may not. */
function useGivers(patientId: string) {
  const t = useTranslations("consents.givers");
  const proxies = useProxies(patientId).filter(
    ({ kind, state }) => kind !== "KIND_CAREGIVER" && state === "STATE_ACTIVE",
  );
  return [
    { value: "", label: t("patient") },
    ...proxies.map((proxy) => ({ value: proxy.personId, label: t(kindOf(proxy)) })),
  ];
}
