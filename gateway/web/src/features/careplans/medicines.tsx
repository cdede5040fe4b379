/** The medicines before and after the stay: differences first, four choices in one order, and a signature that says why not yet. */
import { Button, Progress } from "@mantine/core";
import { IconLock } from "@tabler/icons-react";
import { useMemo, useState } from "react";
import { useTranslations } from "use-intl";
import { api, type Reconciliation, read } from "@/api/client";
import { usePatientLoops } from "@/features/patients/hooks";
import { Cap, useKeys } from "@/ui/keys";
import { Card } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { useWhen, useZone } from "@/ui/when";
import styles from "./careplans.module.css";
import { Entry } from "./entry";
import { type Line, useChange, useDecide, useNewestReconciliation } from "./hooks";
import { AnswerDialog, AskDialog } from "./line-dialogs";
import { LineRow } from "./line-row";
import { CHOICES, type Choice, grouped, nextOf, stepFrom } from "./lines";
import { useNames } from "./names";
import { useMayAt } from "./plan";

export function Medicines({ patientId }: { patientId: string }) {
  const t = useTranslations("careplans.medicines");
  const found = useNewestReconciliation(patientId);
  return (
    <section aria-labelledby="medicines" className={styles.section}>
      <Loaded query={found} title={t("failed")} shape="card">
        {({ newest }) =>
          newest ? (
            <Reconciling key={newest.id} found={newest} />
          ) : (
            <Nothing patientId={patientId} />
          )
        }
      </Loaded>
    </section>
  );
}

/** No comparison yet: both lists are entered for the stay that the newest loop is about. */
function Nothing({ patientId }: { patientId: string }) {
  const t = useTranslations("careplans.medicines");
  const loops = usePatientLoops(patientId);
  const loop = (loops.data ?? []).find(({ encounterId }) => encounterId);
  const mayChange = useMayAt("reconciliations.write", loop?.facilityId ?? "");
  return (
    <>
      <h2 id="medicines">{t("title")}</h2>
      <Card>
        {loop && mayChange ? (
          <Entry patientId={patientId} encounterId={loop.encounterId} />
        ) : (
          <Empty title={t("noStay")}>{loop ? t("viewOnly") : null}</Empty>
        )}
      </Card>
    </>
  );
}

function Reconciling({ found }: { found: Reconciliation }) {
  const t = useTranslations("careplans.medicines");
  const send = useDecide(found);
  const isOpen = found.state === "STATE_OPEN";
  const mayChange = useMayAt("reconciliations.write", found.facilityId);
  const [chosen, choose] = useState("");
  const [asking, ask] = useState<Line>();
  const [answering, answer] = useState<Line>();
  const [isEntering, enter] = useState(false);
  const groups = useMemo(() => grouped(found.lines), [found.lines]);
  const lines = useMemo(() => groups.flatMap((group) => group.lines), [groups]);
  const decide = (line: Line, decision: Choice) => {
    if (decision === "DECISION_ASK") return ask(line);
    send(line, decision);
    choose(nextOf(lines, line.id));
  };
  const at = lines.find(({ id }) => id === chosen);
  const press = (decision: Choice) => isOpen && mayChange && at && (() => decide(at, decision));
  const move = (step: 1 | -1) => () => choose(stepFrom(lines, chosen, step));
  useKeys({
    j: move(1),
    k: move(-1),
    ...Object.fromEntries(CHOICES.map((choice, index) => [String(index + 1), press(choice)])),
  });
  const decided = found.lines.length - found.undecidedCount;
  const counts = { decided, count: found.lines.length };
  return (
    <>
      <header className={styles.head}>
        <h2 id="medicines">{t("title")}</h2>
        <span className={styles.small}>{t("decided", counts)}</span>
        <Progress
          className={styles.progress}
          value={found.lines.length ? (100 * decided) / found.lines.length : 100}
          aria-label={t("decided", counts)}
          size="sm"
          color="dark"
        />
      </header>
      <EarlierSignatures found={found} />
      {found.state === "STATE_CANCELLED" && <p className={styles.quiet}>{t("cancelled")}</p>}
      <Card>
        {groups.map(({ group, lines: here }) => (
          <fieldset key={group} className={styles.group}>
            <legend>
              {t(`groups.${group}`)} <span>{here.length}</span>
            </legend>
            {group === "DIFFERENCE_SAME" && isOpen && mayChange && (
              <KeepSame found={found} count={here.length} />
            )}
            {here.map((line) => (
              <LineRow
                key={line.id}
                line={line}
                found={found}
                isChosen={line.id === chosen}
                choose={() => choose(line.id)}
                decide={isOpen && mayChange ? (decision) => decide(line, decision) : undefined}
                answer={mayChange ? () => answer(line) : undefined}
              />
            ))}
          </fieldset>
        ))}
      </Card>
      <Foot found={found} mayChange={mayChange} enter={() => enter(true)} />
      {isEntering && isOpen && (
        <Card>
          <Entry
            patientId={found.patientId}
            encounterId={found.encounterId}
            done={() => enter(false)}
          />
        </Card>
      )}
      {asking && <AskDialog line={asking} found={found} close={() => ask(undefined)} />}
      {answering && <AnswerDialog line={answering} found={found} close={() => answer(undefined)} />}
    </>
  );
}

function KeepSame({ found, count }: { found: Reconciliation; count: number }) {
  const t = useTranslations("careplans.medicines");
  const change = useChange(found.patientId);
  const keep = () => {
    const params = { path: { reconciliationId: found.id } };
    const url = "/v1/reconciliations/{reconciliationId}:keepSame";
    void change(read(api.POST(url, { params, body: { etag: found.etag } })));
  };
  return (
    <Button variant="default" size="compact-sm" className={styles.keep} onClick={keep}>
      {t("keepSame", { count })}
    </Button>
  );
}

/** It was signed, and opened anew when the patient left: what was signed then stays said. */
function EarlierSignatures({ found }: { found: Reconciliation }) {
  const t = useTranslations("careplans.medicines");
  const when = useWhen();
  const zone = useZone(found.facilityId);
  const nameOf = useNames();
  if (found.earlierSignatures.length === 0) return null;
  return (
    <ul className={styles.list} aria-label={t("earlier")}>
      {found.earlierSignatures.map(({ signedById, signTime }) => (
        <li key={signTime} className={styles.small}>
          {t("signedBefore", {
            when: when.moment(new Date(signTime ?? ""), zone),
            name: nameOf(signedById),
          })}
        </li>
      ))}
    </ul>
  );
}

interface FootProps {
  found: Reconciliation;
  mayChange: boolean;
  enter: () => void;
}

function Foot({ found, mayChange, enter }: FootProps) {
  const t = useTranslations("careplans.medicines");
  const change = useChange(found.patientId);
  const when = useWhen();
  const zone = useZone(found.facilityId);
  const nameOf = useNames();
  const waits = found.undecidedCount;
  const sign = () => {
    const params = { path: { reconciliationId: found.id } };
    const url = "/v1/reconciliations/{reconciliationId}:sign";
    void change(read(api.POST(url, { params, body: { etag: found.etag } })));
  };
  if (found.state === "STATE_SIGNED") {
    const day = when.day(new Date(found.signTime ?? ""), zone);
    return <p className={styles.quiet}>{t("signed", { day, name: nameOf(found.signedById) })}</p>;
  }
  return (
    <footer className={styles.foot}>
      <div>
        {mayChange && (
          <p className={styles.keys}>
            {["1", "2", "3", "4", "J", "K"].map((key) => (
              <Cap key={key}>{key}</Cap>
            ))}
            <span>{t("keys")}</span>
          </p>
        )}
        <p className={styles.small}>{mayChange ? t("safe") : t("viewOnly")}</p>
        <p className={styles.small}>{t("records")}</p>
      </div>
      {mayChange && found.state === "STATE_OPEN" && (
        <div className={styles.actions}>
          <Button variant="default" onClick={enter}>
            {t("again")}
          </Button>
          <Button
            disabled={waits > 0}
            leftSection={waits > 0 && <IconLock size={16} stroke={1.9} aria-hidden="true" />}
            onClick={sign}
          >
            {waits > 0 ? t("signWaits", { count: waits }) : t("sign")}
          </Button>
        </div>
      )}
    </footer>
  );
}
