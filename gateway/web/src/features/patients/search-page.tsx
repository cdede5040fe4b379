/** Patients: find one. There is no list of all: nobody needs one to care for somebody. */
import { useEffect } from "react";
import { useTranslations } from "use-intl";
import { Card, Page } from "@/ui/page";
import look from "./search.module.css";
import { SearchBox } from "./search-box";

export function PatientsPage() {
  const t = useTranslations("patients");
  useEffect(() => {
    document.querySelector<HTMLInputElement>("#content input[type=search]")?.focus();
  }, []);
  return (
    <Page title={t("title")}>
      <Card className={look.searchCard}>
        <SearchBox />
      </Card>
    </Page>
  );
}
