/** Emergency accesses that a privacy officer has to look at, those that have waited longest first. */
import { Button, Radio, Textarea } from "@mantine/core";
import { IconRepeat, IconUrgent } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { type BreakGlass, Failure } from "@/api/client";
import { useFacilities, useMe, useStaff } from "@/api/queries";
import { fieldId, Summary, type Wrongs } from "@/features/staff/errors";
import { Dialog } from "@/ui/dialog";
import { Card, Page } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { useToasts } from "@/ui/toasts";
import { useHomeZone, useWhen } from "@/ui/when";
import styles from "./emergency.module.css";
import { type Finding, useReview, useUnreviewed } from "./hooks";

// As many in 30 days as ask for a look at the person, not only at the case.
const OFTEN = 3;
const FINDINGS: Finding[] = ["FINDING_JUSTIFIED", "FINDING_NOT_JUSTIFIED", "FINDING_CASE_OPENED"];

export function ReviewsPage() {
  const t = useTranslations("emergency.reviews");
  const asked = useUnreviewed();
  const [chosen, choose] = useState<BreakGlass | null>(null);
  return (
    <Page title={t("title")}>
      <Loaded query={asked} title={t("failed")}>
        {(found) => (
          <Card>
            {found.length === 0 ? (
              <Empty title={t("none")}>{t("noneText")}</Empty>
            ) : (
              <ul className={styles.list} aria-label={t("title")}>
                {found.toReversed().map((glass) => (
                  <Case key={glass.id} glass={glass} review={() => choose(glass)} />
                ))}
              </ul>
            )}
          </Card>
        )}
      </Loaded>
      {chosen && <ReviewDialog glass={chosen} close={() => choose(null)} />}
    </Page>
  );
}

function useName() {
  const t = useTranslations("access.looks");
  const staff = useStaff();
  return (id: string) => staff.find((one) => one.id === id)?.displayName ?? t("unknown");
}

function Case({ glass, review }: { glass: BreakGlass; review: () => void }) {
  const t = useTranslations("emergency");
  const when = useWhen();
  const zone = useHomeZone();
  const name = useName();
  const me = useMe();
  const facility = useFacilities().get(glass.facilityId)?.name ?? "";
  const reason = glass.reason as "REASON_OTHER";
  return (
    <li className={styles.case}>
      <div>
        <p className={styles.who}>
          <bdi>{name(glass.personId)}</bdi>
        </p>
        <p className={styles.small}>
          <bdi>{facility}</bdi> · {when.moment(new Date(glass.openTime ?? 0), zone)}
        </p>
        {glass.usesIn30Days >= OFTEN && (
          <p className={styles.often}>
            <IconRepeat size={16} stroke={1.9} aria-hidden="true" />
            {t("reviews.often", { count: glass.usesIn30Days })}
          </p>
        )}
      </div>
      <div>
        <p>
          {t(`form.reasons.${reason}`)}
          {glass.isPart2Emergency && ` · ${t("reviews.part2")}`}
        </p>
        <p>
          <q>
            <bdi>{glass.reasonText}</bdi>
          </q>
        </p>
        <Link to="/patients/$patientId/access" params={{ patientId: glass.patientId }}>
          {t("reviews.patient")}
        </Link>
      </div>
      {glass.personId === me.staffMember.id ? (
        <p className={styles.small}>{t("reviews.own")}</p>
      ) : (
        <Button size="sm" variant="default" onClick={review}>
          {t("reviews.review")}
        </Button>
      )}
    </li>
  );
}

function ReviewDialog({ glass, close }: { glass: BreakGlass; close: () => void }) {
  const t = useTranslations("emergency.reviews");
  const name = useName();
  const review = useReview();
  const { say } = useToasts();
  const [finding, setFinding] = useState<Finding | "">("");
  const [note, setNote] = useState("");
  const [missing, setMissing] = useState<Wrongs>({});
  const failed = review.error instanceof Failure ? review.error.message || t("notSaved") : "";
  const wrongs = Object.keys(missing).length > 0 ? missing : failed ? { "": failed } : {};
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found: Wrongs = {};
    if (!finding) found.finding = t("needsFinding");
    if (!note.trim()) found.note = t("needsNote");
    setMissing(found);
    if (!finding || !note.trim()) return;
    review.mutateAsync({ glass, finding, note: note.trim() }).then(
      () => {
        say({ text: t("saved") });
        close();
      },
      () => undefined, // shown from review.error
    );
  };
  return (
    <Dialog
      title={t("dialog", { name: name(glass.personId) })}
      close={close}
      closeLabel={t("close")}
    >
      <form className={styles.form} onSubmit={submit} noValidate>
        <Summary wrongs={wrongs} />
        <p>
          <IconUrgent size={16} stroke={1.9} aria-hidden="true" />{" "}
          <q>
            <bdi>{glass.reasonText}</bdi>
          </q>
        </p>
        <Radio.Group
          id={fieldId("finding")}
          label={t("finding")}
          value={finding}
          onChange={(value) => setFinding(value as Finding)}
          error={missing.finding}
        >
          {FINDINGS.map((each) => (
            <Radio
              key={each}
              value={each}
              label={t(`findings.${each}`)}
              className={styles.choice}
            />
          ))}
        </Radio.Group>
        <Textarea
          id={fieldId("note")}
          label={t("note")}
          description={t("noteHint")}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
          error={missing.note}
          rows={2}
          maxLength={500}
        />
        <div className={styles.actions}>
          <Button type="submit" loading={review.isPending}>
            {t("save")}
          </Button>
          <Button variant="default" onClick={close}>
            {t("close")}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
