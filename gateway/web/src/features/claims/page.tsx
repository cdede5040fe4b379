/** What of each transition could be billed, or why nothing: proposed to people, and sent to nobody. */
import { NativeSelect } from "@mantine/core";
import { IconReceipt } from "@tabler/icons-react";
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useTranslations } from "use-intl";
import { useFacilities, useMay, useMe } from "@/api/queries";
import { useKeys } from "@/ui/keys";
import { ListAndDetail } from "@/ui/list-and-detail";
import { Card, Page } from "@/ui/page";
import { ShowMore } from "@/ui/show-more";
import { Empty, Failed, Loading, NoAccess } from "@/ui/states";
import styles from "./claims.module.css";
import { useCandidates } from "./hooks";
import { Months } from "./list";
import { Packet } from "./packet";

export function ClaimsPage() {
  return useMay("billing.read") ? <Claims /> : <NoAccess />;
}

function Claims() {
  const t = useTranslations("claims");
  const { facility, loop } = useSearch({ from: "/shell/claims" });
  const go = useNavigate({ from: "/claims" });
  const mine = useMe().facilityIds;
  const facilities = useFacilities();
  const open = (to: string | undefined) =>
    void go({ search: (old) => ({ ...old, loop: to }), replace: true });
  useKeys({ Escape: () => open(undefined) });
  return (
    <Page title={t("title")} beside={<p className={styles.small}>{t("about")}</p>}>
      {mine.length > 1 && (
        <NativeSelect
          size="xs"
          maw={320}
          aria-label={t("facility")}
          value={facility ?? ""}
          onChange={(event) =>
            void go({ search: { facility: event.currentTarget.value || undefined }, replace: true })
          }
          data={[
            { value: "", label: t("allFacilities") },
            ...mine.map((id) => ({ value: id, label: facilities.get(id)?.name ?? "" })),
          ]}
        />
      )}
      <ListAndDetail
        detail={loop && <Packet key={loop} loopId={loop} close={() => open(undefined)} />}
      >
        <Candidates facilityId={facility} chosenId={loop ?? ""} open={open} />
      </ListAndDetail>
    </Page>
  );
}

interface CandidatesProps {
  facilityId: string | undefined;
  chosenId: string;
  open: (loopId: string) => void;
}

function Candidates({ facilityId, chosenId, open }: CandidatesProps) {
  const t = useTranslations("claims");
  const asked = useCandidates(facilityId);
  if (asked.error && !asked.data) {
    return <Failed title={t("failed")} error={asked.error} retry={() => void asked.refetch()} />;
  }
  if (!asked.data) return <Loading />;
  const candidates = asked.data.pages.flatMap((page) => page.candidates);
  if (candidates.length === 0) {
    return (
      <Card>
        <Empty title={t("none")} icon={<IconReceipt size={22} stroke={1.9} />}>
          {t("noneText")}
        </Empty>
      </Card>
    );
  }
  return (
    <>
      <Months candidates={candidates} chosenId={chosenId} open={open} />
      <ShowMore query={asked}>{t("more")}</ShowMore>
    </>
  );
}
