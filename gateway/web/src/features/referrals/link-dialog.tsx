/** A link to the partner's page: made when it is asked for, and shown this once. */
import { Button, TextInput } from "@mantine/core";
import { IconPhone } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { api, read } from "@/api/client";
import { Dialog } from "@/ui/dialog";
import { Failed } from "@/ui/states";
import { useWhen, useZone } from "@/ui/when";
import type { DialogProps } from "./dialogs";
import styles from "./referrals.module.css";

export function LinkDialog({ referral, close }: DialogProps) {
  const t = useTranslations("referrals.link");
  const service = referral.serviceName;
  const client = useQueryClient();
  const { mutate, data, error } = useMutation({
    mutationFn: (key: string) => {
      const params = { path: { referralId: referral.id } };
      const headers = { "Idempotency-Key": key };
      const url = "/v1/referrals/{referralId}:createLink";
      return read(api.POST(url, { params, headers, body: {} }));
    },
    onSettled: () => client.invalidateQueries({ queryKey: ["referrals", referral.patientId] }),
  });
  // One link, however often this is drawn.
  const [key] = useState(() => crypto.randomUUID());
  useEffect(() => mutate(key), [mutate, key]);
  return (
    <Dialog title={t("title", { service })} close={close} closeLabel={t("close")}>
      <div className={styles.form}>
        <p>{t("text", { service })}</p>
        {error && <Failed error={error} retry={() => mutate(key)} />}
        {!error && !data && <p role="status">{t("making")}</p>}
        {data && <Link {...data} facilityId={referral.facilityId} />}
      </div>
    </Dialog>
  );
}

interface LinkProps {
  url: string;
  telephone: string;
  expireTime?: string;
  facilityId: string;
}

function Link({ url, telephone, expireTime, facilityId }: LinkProps) {
  const t = useTranslations("referrals.link");
  const when = useWhen();
  const zone = useZone(facilityId);
  const [isCopied, note] = useState(false);
  const copy = () => navigator.clipboard?.writeText(url).then(() => note(true));
  return (
    <>
      <TextInput
        label={t("address")}
        value={url}
        readOnly
        onFocus={(event) => event.currentTarget.select()}
      />
      {expireTime && (
        <p className={styles.small}>
          {t("until", { when: when.moment(new Date(expireTime), zone) })}
        </p>
      )}
      <div className={styles.actions}>
        <Button onClick={() => void copy()}>{t("copy")}</Button>
        {telephone && (
          <Button
            component="a"
            href={`tel:${telephone.replace(/[^\d+]/g, "")}`}
            variant="default"
            leftSection={<IconPhone size={16} stroke={1.9} />}
          >
            {t("call", { phone: telephone })}
          </Button>
        )}
        <span role="status" className={styles.small}>
          {isCopied ? t("copied") : ""}
        </span>
      </div>
    </>
  );
}
