/** What is shown where a screen threw: never an empty page. */
import { Button } from "@mantine/core";
import { IconAlertTriangleFilled } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import { Empty } from "./states";

export function Broken() {
  const t = useTranslations("shell.states");
  return (
    <div role="alert">
      <Empty
        icon={<IconAlertTriangleFilled size={22} />}
        title={t("brokenTitle")}
        actions={<Button onClick={() => location.reload()}>{t("tryAgain")}</Button>}
      >
        <p>{t("brokenText")}</p>
      </Empty>
    </div>
  );
}
