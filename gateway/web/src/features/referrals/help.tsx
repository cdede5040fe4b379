/** Who was asked to help, on the patient's page: what is open, and what has ended. */
import { IconHeartHandshake } from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { useTranslations } from "use-intl";
import type { Patient, Referral } from "@/api/client";
import { useMay, useMe } from "@/api/queries";
import loopStyles from "@/features/patients/loops.module.css";
import { Card } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { useNow } from "@/ui/when";
import { ReferralCard } from "./card";
import { useReferrals } from "./hooks";
import styles from "./referrals.module.css";
import { isOpen } from "./standing";

/** The facilities at which the caller can ask for a patient. */
export function usePlacesToAsk(patient: Patient): string[] {
  const mine = useMe().facilityIds;
  const mayAsk = useMay("referrals.write");
  return mayAsk ? patient.facilityIds.filter((id) => mine.includes(id)) : [];
}

export function Help({ patient }: { patient: Patient }) {
  const t = useTranslations("referrals");
  const maySee = useMay("referrals.read");
  const mayAsk = usePlacesToAsk(patient).length > 0;
  const referrals = useReferrals(patient.id, maySee);
  if (!maySee) return null;
  return (
    <section aria-labelledby="help" className={styles.help}>
      <div className={styles.head}>
        <h2 id="help">{t("title")}</h2>
        {mayAsk && (
          <Link
            to="/patients/$patientId/help"
            params={{ patientId: patient.id }}
            className={loopStyles.stepLink}
          >
            {t("ask")}
          </Link>
        )}
      </div>
      <Loaded query={referrals} title={t("failed")} shape="card">
        {(found) => <List referrals={found} />}
      </Loaded>
    </section>
  );
}

function List({ referrals }: { referrals: Referral[] }) {
  const t = useTranslations("referrals");
  const now = useNow();
  const [isShown, show] = useState(false);
  const open = referrals.filter((each) => isOpen(each, referrals, now));
  const ended = referrals.filter((each) => !open.includes(each));
  const card = (each: Referral) => (
    <ReferralCard
      key={each.id}
      referral={each}
      before={referrals.find(({ id }) => id === each.followsId)}
    />
  );
  return (
    <>
      {open.map(card)}
      {open.length === 0 && (
        <Card>
          <Empty title={t("none")} icon={<IconHeartHandshake size={22} stroke={1.9} />}>
            {t("noneText")}
          </Empty>
        </Card>
      )}
      {ended.length > 0 && (
        <button
          type="button"
          className={styles.linkButton}
          aria-expanded={isShown}
          onClick={() => show(!isShown)}
        >
          {isShown ? t("hideEnded") : t("showEnded", { count: ended.length })}
        </button>
      )}
      {isShown && ended.map(card)}
    </>
  );
}
