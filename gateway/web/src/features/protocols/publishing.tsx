/** The draft's publication: only of a text that was tried, exactly as it stands. */
import { Button } from "@mantine/core";
import { IconAlertTriangleFilled } from "@tabler/icons-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Failure, type Protocol } from "@/api/client";
import { useMay } from "@/api/queries";
import { Dialog } from "@/ui/dialog";
import { useToasts } from "@/ui/toasts";
import styles from "./editor.module.css";
import { usePublish, useShape } from "./hooks";
import type { Trying } from "./trying";
import { useProblem } from "./words";

interface Props {
  protocol: Protocol;
  draft: string | null;
  trying: Trying;
  write: (text: string | null) => void;
  published: (protocol: Protocol) => void;
}

export function Publishing({ draft, ...props }: Props) {
  const may = useMay("protocols.write");
  if (draft === null || !may) return null;
  return <PublishDraft draft={draft} {...props} />;
}

function PublishDraft(props: Props & { draft: string }) {
  const { protocol, draft, trying, write, published } = props;
  const t = useTranslations("protocols.text");
  const publish = usePublish();
  const { say } = useToasts();
  const [isAsking, ask] = useState(false);
  const isSame = draft === protocol.text;
  const canPublish = !isSame && trying.isOfThisText;
  const send = () => {
    ask(false);
    publish.mutate(draft, {
      onSuccess: (made) => {
        const { title, version } = made;
        const isOld = made.id === protocol.id && version === protocol.version;
        say({ text: isOld ? t("doneSame", { version }) : t("done", { title, version }) });
        write(null);
        published(made);
      },
    });
  };
  return (
    <div className={styles.publish}>
      <Button
        disabled={!canPublish}
        loading={publish.isPending}
        aria-describedby="publish-why"
        onClick={() => ask(true)}
      >
        {t("publish")}
      </Button>
      <p id="publish-why" className={styles.second}>
        {isSame && t("same", { version: protocol.version })}
        {!isSame && (canPublish ? t("tried") : t("tryFirst"))}
      </p>
      {publish.error && <PublishFailure error={publish.error} />}
      {isAsking && canPublish && (
        <Confirm protocol={protocol} draft={draft} yes={send} no={() => ask(false)} />
      )}
    </div>
  );
}

function PublishFailure({ error }: { error: unknown }) {
  const t = useTranslations("protocols.text");
  const problem = useProblem();
  const fields = error instanceof Failure ? (error.fields ?? []) : [];
  return (
    <>
      <p role="alert" className={styles.wrong}>
        <IconAlertTriangleFilled size={16} aria-hidden="true" />
        <span>{t("publishFailed", { reason: problem(error) })}</span>
      </p>
      {fields.map(({ field, description }) => (
        <p key={`${field} ${description}`} className={styles.second} lang="en">
          {description}
        </p>
      ))}
    </>
  );
}

interface ConfirmProps {
  protocol: Protocol;
  draft: string;
  yes: () => void;
  no: () => void;
}

function Confirm({ protocol, draft, yes, no }: ConfirmProps) {
  const t = useTranslations("protocols.text");
  const shape = useShape(draft);
  const title = shape?.title ?? protocol.title;
  const isNew = shape?.key !== protocol.id;
  const version = protocol.version + 1;
  return (
    <Dialog
      close={no}
      title={isNew ? t("confirmNew", { title }) : t("confirm", { title, version })}
      closeLabel={t("confirmNo")}
    >
      <p className={styles.second}>
        {isNew ? t("confirmNewText", { key: shape?.key ?? "" }) : t("confirmText")}
      </p>
      <div className={styles.buttons}>
        <Button onClick={yes}>{isNew ? t("confirmYesNew") : t("confirmYes", { version })}</Button>
        <Button variant="default" onClick={no}>
          {t("confirmNo")}
        </Button>
      </div>
    </Dialog>
  );
}
