/** Measures: month by month, with what chance explains, and every number open to the patients behind it. */
import { NativeSelect } from "@mantine/core";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslations } from "use-intl";
import { useFacilities, useMay } from "@/api/queries";
import { useKeys } from "@/ui/keys";
import { ListAndDetail } from "@/ui/list-and-detail";
import { Page } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { MeasureCard } from "./card";
import { useMeasures } from "./hooks";
import styles from "./measures.module.css";
import { Pane } from "./pane";

export function MeasuresPage() {
  const t = useTranslations("measures");
  const search = useSearch({ from: "/shell/measures" });
  const go = useNavigate({ from: "/measures" });
  const facilities = [...useFacilities().values()];
  const measures = useMeasures(search.facility);
  const mayOpen = useMay("patients.read");
  const change = (to: typeof search) =>
    void go({ search: (old) => ({ ...old, ...to }), replace: true });
  useKeys({ Escape: () => change({ measure: undefined, status: undefined }) });
  return (
    <Page title={t("title")} beside={<p className={styles.small}>{t("span")}</p>}>
      <NativeSelect
        size="xs"
        mb={12}
        maw={320}
        aria-label={t("facility")}
        value={search.facility ?? ""}
        onChange={(event) => change({ facility: event.currentTarget.value || undefined })}
        data={[
          { value: "", label: t("allFacilities") },
          ...facilities.map(({ id, name }) => ({ value: id, label: name })),
        ]}
      />
      <Loaded query={measures} title={t("failed")}>
        {(all) => {
          const chosen = all.find(({ key }) => key === search.measure);
          if (all.length === 0) return <Empty title={t("none")}>{t("noneText")}</Empty>;
          return (
            <ListAndDetail
              detail={
                chosen && (
                  <Pane
                    key={chosen.key}
                    measure={chosen}
                    facilityId={search.facility}
                    status={search.status}
                    choose={(status) => change({ status })}
                    close={() => change({ measure: undefined, status: undefined })}
                    mayOpen={mayOpen}
                  />
                )
              }
            >
              <div className={styles.grid}>
                {all.map((measure) => (
                  <MeasureCard
                    key={measure.key}
                    measure={measure}
                    isChosen={measure === chosen}
                    open={(status) => change({ measure: measure.key, status })}
                    mayOpen={mayOpen}
                  />
                ))}
              </div>
            </ListAndDetail>
          );
        }}
      </Loaded>
    </Page>
  );
}
