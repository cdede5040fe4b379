/** Both lists of a stay, pasted or typed; an empty one says that nothing is on it. */
import { Button, Textarea } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { api, type Filled, read } from "@/api/client";
import type { components } from "@/api/schema.gen";
import styles from "./careplans.module.css";
import { useChange } from "./hooks";

interface Props {
  patientId: string;
  encounterId: string;
  done?: () => void;
}

type List = Filled<components["schemas"]["careplans.MedicineList"]>;
const SIDES = ["SIDE_BEFORE", "SIDE_AFTER"] as const;

export function Entry({ patientId, encounterId, done }: Props) {
  const t = useTranslations("careplans.medicines");
  const change = useChange(patientId);
  const lists = useLists(patientId, encounterId);
  // Only what was typed: what comes from the server meanwhile must not take its place.
  const [typed, type] = useState<Record<string, string>>({});
  const kept = Object.fromEntries((lists.data ?? []).map((list) => [list.side, textOf(list)]));
  const texts: Record<string, string> = { ...kept, ...typed };
  const compare = async () => {
    for (const side of SIDES) {
      const body = { encounterId, side, text: texts[side] ?? "" };
      await read(api.POST("/v1/medicineLists", { body }));
    }
    await read(api.POST("/v1/reconciliations", { body: { encounterId } }));
  };
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (await change(compare())) done?.();
  };
  const labels = { SIDE_BEFORE: t("beforeList"), SIDE_AFTER: t("afterList") };
  return (
    <form onSubmit={(event) => void save(event)} className={styles.form} data-is-inside>
      <h3>{t("enter")}</h3>
      <p className={styles.small}>{t("enterText")}</p>
      <div className={styles.lists}>
        {SIDES.map((side) => (
          <Textarea
            key={side}
            label={labels[side]}
            minRows={8}
            autosize
            maxLength={20_000}
            spellCheck={false}
            value={texts[side] ?? ""}
            onChange={(event) => type({ ...typed, [side]: event.currentTarget.value })}
          />
        ))}
      </div>
      <div className={styles.actions}>
        <Button type="submit" disabled={lists.isPending}>
          {t("compare")}
        </Button>
      </div>
    </form>
  );
}

function useLists(patientId: string, encounterId: string) {
  return useQuery({
    queryKey: ["plans", patientId, "lists", encounterId],
    queryFn: async ({ signal }) => {
      const query = { encounterId };
      const page = await read(api.GET("/v1/medicineLists", { params: { query }, signal }));
      return page.medicineLists as List[];
    },
  });
}

const textOf = ({ medicines }: List) =>
  medicines.map(({ name, dose, frequency }) => [name, dose, frequency].join("\t")).join("\n");
