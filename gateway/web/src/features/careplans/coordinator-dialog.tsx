/** Name the one coordinator of a plan: anybody who coordinates at its facility. */
import { Button, Select } from "@mantine/core";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { api, type CarePlan, read } from "@/api/client";
import { useStaff } from "@/api/queries";
import { Dialog } from "@/ui/dialog";
import styles from "./careplans.module.css";
import { useChange } from "./hooks";

interface Props {
  plan: CarePlan;
  close: () => void;
}

export function CoordinatorDialog({ plan, close }: Props) {
  const t = useTranslations("careplans.team");
  const cancel = useTranslations("careplans")("cancel");
  const change = useChange(plan.patientId);
  const staff = useStaff(plan.facilityId);
  const [chosen, choose] = useState(plan.coordinatorId);
  const [isBusy, be] = useState(false);
  const data = staff
    .filter(({ state }) => state === "STATE_ACTIVE")
    .map(({ id, displayName }) => ({ value: id, label: displayName }));
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (isBusy) return;
    be(true);
    const params = { path: { carePlanId: plan.id } };
    const body = { etag: plan.etag, coordinatorId: chosen };
    const url = "/v1/carePlans/{carePlanId}:nameCoordinator";
    if (await change(read(api.POST(url, { params, body })))) close();
    be(false);
  };
  return (
    <Dialog title={t("change")} close={close} closeLabel={t("close")}>
      <form onSubmit={(event) => void save(event)} className={styles.form}>
        <p className={styles.small}>{t("rule")}</p>
        <Select
          label={t("who")}
          data={data}
          value={chosen}
          onChange={(value) => choose(value ?? plan.coordinatorId)}
          allowDeselect={false}
          searchable
        />
        <div className={styles.actions}>
          <Button type="submit" loading={isBusy} disabled={chosen === plan.coordinatorId}>
            {t("save")}
          </Button>
          <Button variant="default" onClick={close}>
            {cancel}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
