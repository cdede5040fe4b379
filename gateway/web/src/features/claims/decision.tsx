/** What only a physician can say of a transition: how hard the decisions were, and who else bills. */
import { Button, Checkbox, Radio } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import type { ClaimCandidate } from "@/api/client";
import { useMay, useMe } from "@/api/queries";
import { useNames } from "@/features/careplans/names";
import { useToasts } from "@/ui/toasts";
import { useWhen, useZone } from "@/ui/when";
import styles from "./claims.module.css";
import { type Level, useDecide } from "./hooks";

const LEVELS = ["LEVEL_LOW", "LEVEL_MODERATE", "LEVEL_HIGH"] as const;

export function Decision({ of }: { of: ClaimCandidate }) {
  const t = useTranslations("claims.decision");
  const mayDecide = useMay("decisions.write");
  const isOurs = useMe().facilityIds.includes(of.facilityId);
  const [isOpen, open] = useState(false);
  const may = mayDecide && isOurs;
  return (
    <section aria-labelledby="decision" className={styles.part}>
      <h3 id="decision">{t("title")}</h3>
      <Known of={of} />
      {!may && !of.decision && <p className={styles.small}>{t("viewOnly")}</p>}
      {may && isOpen && <Form of={of} close={() => open(false)} />}
      {may && !isOpen && (
        <div>
          <Button size="xs" variant={of.decision ? "default" : "filled"} onClick={() => open(true)}>
            {t(of.decision ? "change" : "say")}
          </Button>
        </div>
      )}
    </section>
  );
}

function Known({ of: { decision, facilityId } }: { of: ClaimCandidate }) {
  const t = useTranslations("claims.decision");
  const when = useWhen();
  const zone = useZone(facilityId);
  const names = useNames();
  if (!decision) return <p>{t("none")}</p>;
  const others = [
    decision.isBilledElsewhere && t("elsewhere"),
    decision.isGlobalPeriod && t("global"),
  ].filter(Boolean);
  return (
    <>
      <p>{t(`known.${decision.level}`)}</p>
      {others.length > 0 && <p>{others.join(" · ")}</p>}
      <p className={styles.small}>
        {t("by", {
          who: names(decision.staffId),
          when: when.moment(new Date(decision.time ?? 0), zone),
        })}
      </p>
    </>
  );
}

function Form({ of, close }: { of: ClaimCandidate; close: () => void }) {
  const t = useTranslations("claims.decision");
  const { say } = useToasts();
  const { isBusy, error, decide } = useDecide(of.loopId);
  const before = LEVELS.find((each) => each === of.decision?.level);
  const [level, be] = useState<Level | "">(before ?? "");
  const [isMissing, miss] = useState(false);
  const [isBilledElsewhere, bill] = useState(of.decision?.isBilledElsewhere ?? false);
  const [isGlobalPeriod, globe] = useState(of.decision?.isGlobalPeriod ?? false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (!level) return miss(true);
    if (!(await decide({ level, isBilledElsewhere, isGlobalPeriod }))) return;
    say({ text: t("saved") });
    close();
  };
  return (
    <form onSubmit={(event) => void submit(event)} className={styles.form}>
      {error && (
        <p role="alert" className={styles.error}>
          {error}
        </p>
      )}
      <Radio.Group
        label={t("level")}
        value={level}
        error={isMissing && !level && t("needed")}
        onChange={(value) => be(LEVELS.find((each) => each === value) ?? "")}
      >
        {LEVELS.map((each) => (
          <Radio key={each} value={each} label={t(`levels.${each}`)} className={styles.choice} />
        ))}
      </Radio.Group>
      <Checkbox
        label={t("elsewhere")}
        checked={isBilledElsewhere}
        onChange={(event) => bill(event.currentTarget.checked)}
      />
      <Checkbox
        label={t("global")}
        checked={isGlobalPeriod}
        onChange={(event) => globe(event.currentTarget.checked)}
      />
      <div className={styles.actions}>
        <Button type="submit" loading={isBusy}>
          {t("save")}
        </Button>
        <Button variant="default" onClick={close}>
          {t("back")}
        </Button>
      </div>
    </form>
  );
}
