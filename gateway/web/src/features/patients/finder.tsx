/** The search of the header: Ctrl K from everywhere. */
import { Modal } from "@mantine/core";
import { useTranslations } from "use-intl";
import { SearchBox } from "./search-box";

export default function PatientFinder({ close }: { close: () => void }) {
  const t = useTranslations("patients.search");
  return (
    <Modal
      opened
      onClose={close}
      title={t("title")}
      size="lg"
      centered={false}
      closeButtonProps={{ "aria-label": t("close") }}
    >
      <SearchBox opened={close} />
    </Modal>
  );
}
