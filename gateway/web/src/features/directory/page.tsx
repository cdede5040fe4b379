/** The directory of community services: who helps with what, where, for whom, and whether they have room. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { useMay, useMe } from "@/api/queries";
import type { Wanted } from "@/features/referrals/asking";
import { useMatches } from "@/features/referrals/hooks";
import { useKeys } from "@/ui/keys";
import { ListAndDetail } from "@/ui/list-and-detail";
import { Page } from "@/ui/page";
import { Loaded, NoAccess } from "@/ui/states";
import { ServiceDetail } from "./detail";
import styles from "./directory.module.css";
import { Found } from "./found";
import { LookFor } from "./look-for";
import { type Looked, NOTHING_LOOKED, wantedOf } from "./looking";

export function DirectoryPage() {
  const t = useTranslations("directory");
  return useMay("directory.read") ? (
    <Page title={t("title")}>
      <Directory />
    </Page>
  ) : (
    <NoAccess />
  );
}

function Directory() {
  const t = useTranslations("directory");
  const { service: serviceId } = useSearch({ from: "/shell/directory" });
  const go = useNavigate({ from: "/directory" });
  const [home = ""] = useMe().facilityIds;
  const [looked, look] = useState<Looked>(NOTHING_LOOKED);
  const [wanted, want] = useState<Wanted | null>(null);
  const matches = useMatches(wanted);
  const head = useRef<HTMLHeadingElement>(null);
  const isThere = Boolean(matches.data);
  const open = (service: string | undefined) => void go({ search: { service }, replace: true });
  useKeys({ Escape: () => open(undefined) });
  useEffect(() => {
    if (isThere) head.current?.focus();
  }, [isThere]);
  return (
    <ListAndDetail
      detail={
        serviceId && (
          <ServiceDetail
            key={serviceId}
            serviceId={serviceId}
            match={matches.data?.find(({ service }) => service.id === serviceId)}
            need={wanted?.need}
            close={() => open(undefined)}
          />
        )
      }
    >
      <LookFor looked={looked} look={look} search={() => want(wantedOf(looked, home))} />
      {wanted && (
        <section aria-labelledby="found" className={styles.section}>
          <h2 id="found" ref={head} tabIndex={-1}>
            {t("found")}
          </h2>
          <Loaded query={matches} title={t("failed")}>
            {(found) => <Found found={found} chosenId={serviceId ?? ""} open={open} />}
          </Loaded>
        </section>
      )}
    </ListAndDetail>
  );
}
