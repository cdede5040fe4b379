/** Find a patient: words in any order, results as one types, arrows and Enter. */
import { IconSearch } from "@tabler/icons-react";
import { useNavigate } from "@tanstack/react-router";
import { type KeyboardEvent, useDeferredValue, useEffect, useId, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import type { Patient } from "@/api/client";
import { OfKeys } from "@/ui/keys";
import { ageOn, partsIn } from "@/ui/moments";
import { Empty, Failed } from "@/ui/states";
import { useHomeZone, useNow, useWhen } from "@/ui/when";
import { usePatientSearch } from "./hooks";
import { addressOf, languageName, nameOf, phoneOf, phoneWords } from "./person";
import styles from "./search.module.css";

const PAUSE_MS = 200;

/** What was typed, once the typing pauses. */
function usePaused(text: string): string {
  const [paused, set] = useState(text);
  useEffect(() => {
    const timer = setTimeout(() => set(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return useDeferredValue(paused);
}

interface SearchProps {
  opened?: () => void;
  /** What happens with who was found; else their page opens. */
  choose?: (patient: Patient) => void;
}

export function SearchBox({ opened, choose }: SearchProps) {
  const t = useTranslations("patients.search");
  const [text, type] = useState("");
  const [active, activate] = useState(0);
  const list = useId();
  const go = useNavigate();
  const search = usePatientSearch(usePaused(text));
  const isAsked = text.trim().length >= 2;
  const found = isAsked ? (search.data?.patients ?? []) : [];
  const open = (patient: Patient) => {
    opened?.();
    if (choose) return choose(patient);
    void go({ to: "/patients/$patientId", params: { patientId: patient.id } });
  };
  const onKey = (event: KeyboardEvent) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const here = found[active];
    if (step) {
      event.preventDefault();
      activate((at) => Math.min(found.length - 1, Math.max(0, at + step)));
    } else if (event.key === "Enter" && here) {
      event.preventDefault();
      open(here);
    }
  };
  return (
    <div className={styles.search}>
      <label className={styles.searchLabel}>
        {t("label")}
        <span className={styles.searchField}>
          <IconSearch size={18} stroke={1.9} aria-hidden="true" />
          <input
            type="search"
            role="combobox"
            autoComplete="off"
            spellCheck={false}
            maxLength={200}
            data-autofocus
            aria-expanded={found.length > 0}
            aria-controls={list}
            aria-autocomplete="list"
            aria-activedescendant={found[active] ? `${list}-${active}` : undefined}
            aria-describedby={`${list}-hint`}
            value={text}
            onChange={(event) => {
              type(event.currentTarget.value);
              activate(0);
            }}
            onKeyDown={onKey}
          />
        </span>
      </label>
      <p id={`${list}-hint`} className={styles.small}>
        {t("hint")}
      </p>
      <p role="status" className={styles.onlySpoken}>
        {isAsked && search.data ? t("count", { count: found.length }) : ""}
      </p>
      <div role="listbox" id={list} aria-label={t("results")} className={styles.results}>
        {found.map((patient, index) => (
          <Found
            key={patient.id}
            id={`${list}-${index}`}
            patient={patient}
            isActive={index === active}
            open={() => open(patient)}
          />
        ))}
      </div>
      <Outcome
        isAsked={isAsked}
        error={search.error}
        isNobody={isAsked && search.isSuccess && !search.isPlaceholderData && !found.length}
        hasMore={found.length > 0 && Boolean(search.data?.hasMore)}
        retry={() => void search.refetch()}
      />
    </div>
  );
}

interface FoundProps {
  id: string;
  patient: Patient;
  isActive: boolean;
  open: () => void;
}

function Found({ id, patient, isActive, open }: FoundProps) {
  const t = useTranslations("patients.person");
  const when = useWhen();
  const locale = useLocale();
  const now = useNow();
  const zone = useHomeZone();
  const age = ageOn(patient.birthDate, partsIn(zone, now));
  const details = [
    age === null ? "" : t("ageBorn", { age, born: when.birth(patient.birthDate) }),
    languageName(patient.language, locale),
    phoneWords(phoneOf(patient)),
    addressOf(patient),
  ];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the search field has the keys
    <div id={id} role="option" aria-selected={isActive} className={styles.found} onClick={open}>
      <bdi className={styles.foundName}>{nameOf(patient)}</bdi>
      <span className={styles.detail}>{details.filter(Boolean).join(" · ")}</span>
    </div>
  );
}

interface OutcomeProps {
  isAsked: boolean;
  error: unknown;
  isNobody: boolean;
  hasMore: boolean;
  retry: () => void;
}

function Outcome({ isAsked, error, isNobody, hasMore, retry }: OutcomeProps) {
  const t = useTranslations("patients.search");
  if (error) return <Failed title={t("failed")} error={error} retry={retry} />;
  if (!isAsked) {
    return (
      <Empty icon={<IconSearch size={22} stroke={1.9} />} title={t("begin")}>
        <OfKeys>{t("beginText")}</OfKeys>
      </Empty>
    );
  }
  if (isNobody) return <Empty title={t("none")}>{t("noneText")}</Empty>;
  return hasMore ? <p className={styles.small}>{t("more")}</p> : null;
}
