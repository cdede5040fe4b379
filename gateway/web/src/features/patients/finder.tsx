/** The search of the header: Ctrl K from everywhere. */
import { useTranslations } from "use-intl";
import { Dialog } from "@/ui/dialog";
import { SearchBox } from "./search-box";

export default function PatientFinder({ close }: { close: () => void }) {
  const t = useTranslations("patients.search");
  return (
    <Dialog title={t("title")} close={close} closeLabel={t("close")} size="lg" isAtTop>
      <SearchBox opened={close} />
    </Dialog>
  );
}
