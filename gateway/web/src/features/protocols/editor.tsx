/** The text: read, edited as a draft, checked line by line, published. */
import { Button } from "@mantine/core";
import { IconAlertTriangleFilled, IconCheck } from "@tabler/icons-react";
import { type RefObject, useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { Failure, type Protocol } from "@/api/client";
import { useMay } from "@/api/queries";
import { Dialog } from "@/ui/dialog";
import { Card } from "@/ui/page";
import { useToasts } from "@/ui/toasts";
import styles from "./editor.module.css";
import { usePublish, useShape, useValidate } from "./hooks";
import { useProblem } from "./words";

const LINE_PX = 18;

interface Props {
  protocol: Protocol;
  draft: string | null;
  write: (text: string | null) => void;
  /** Shown first. 0: the top. */
  line: number;
  published: (protocol: Protocol) => void;
}

export function Editor({ protocol, draft, write, line, published }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const text = draft ?? protocol.text;
  const goTo = (to: number) => showLine(area, to);
  useEffect(() => {
    if (line > 0) showLine(area, line);
  }, [line]);
  return (
    <div className={styles.columns}>
      <TextArea area={area} text={text} write={draft === null ? undefined : write} />
      <Desk protocol={protocol} draft={draft} write={write} goTo={goTo} published={published} />
    </div>
  );
}

function showLine(area: RefObject<HTMLTextAreaElement | null>, line: number): void {
  const element = area.current;
  if (!element) return;
  const lines = element.value.split("\n");
  const start = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
  element.focus({ preventScroll: true });
  element.setSelectionRange(start, start + (lines[line - 1]?.length ?? 0));
  element.parentElement?.scrollTo({ top: Math.max(0, (line - 4) * LINE_PX) });
}

interface TextAreaProps {
  area: RefObject<HTMLTextAreaElement | null>;
  text: string;
  write?: (text: string) => void;
}

function TextArea({ area, text, write }: TextAreaProps) {
  const t = useTranslations("protocols.text");
  const count = text.split("\n").length;
  const numbers = Array.from({ length: count }, (_, at) => at + 1).join("\n");
  return (
    <div className={styles.editor} data-is-draft={Boolean(write)} dir="ltr">
      <pre aria-hidden="true">{numbers}</pre>
      <textarea
        ref={area}
        aria-label={t("label")}
        lang="en"
        value={text}
        readOnly={!write}
        onChange={(event) => write?.(event.currentTarget.value)}
        rows={count + 1}
        wrap="off"
        spellCheck={false}
        autoComplete="off"
        autoCapitalize="off"
      />
    </div>
  );
}

interface DeskProps extends Omit<Props, "line"> {
  goTo: (line: number) => void;
}

function Desk({ protocol, draft, write, goTo, published }: DeskProps) {
  const t = useTranslations("protocols.text");
  const may = useMay("protocols.write");
  return (
    <Card className={styles.desk}>
      {draft === null ? (
        <>
          <p>{t("published")}</p>
          {may ? (
            <Button onClick={() => write(protocol.text)}>{t("edit")}</Button>
          ) : (
            <p className={styles.second}>{t("readOnly")}</p>
          )}
        </>
      ) : (
        <DraftDesk
          protocol={protocol}
          draft={draft}
          write={write}
          goTo={goTo}
          published={published}
        />
      )}
      <p className={styles.small}>{t("help")}</p>
    </Card>
  );
}

function DraftDesk(props: DeskProps & { draft: string }) {
  const { protocol, draft, write, goTo, published } = props;
  const t = useTranslations("protocols.text");
  const check = useValidate();
  const publish = usePublish();
  const problem = useProblem();
  const { say } = useToasts();
  const [isAsking, ask] = useState(false);
  const isSame = draft === protocol.text;
  const begin = async () => {
    const { problems } = await check.mutateAsync(draft).catch(() => ({ problems: null }));
    if (problems?.length === 0) ask(true);
  };
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
    <>
      <p className={styles.second}>{t("editing")}</p>
      <div className={styles.buttons}>
        <Button disabled={isSame} loading={publish.isPending} onClick={() => void begin()}>
          {t("publish")}
        </Button>
        <Button variant="default" loading={check.isPending} onClick={() => check.mutate(draft)}>
          {t("check")}
        </Button>
        <Button variant="subtle" onClick={() => write(null)}>
          {t("discard")}
        </Button>
      </div>
      {isSame && <p className={styles.second}>{t("same", { version: protocol.version })}</p>}
      {check.error && <Wrong>{t("failed", { reason: problem(check.error) })}</Wrong>}
      {publish.error && <PublishFailure error={publish.error} />}
      {check.data && (
        <Checked problems={check.data.problems} isStale={check.variables !== draft} goTo={goTo} />
      )}
      {isAsking && <Confirm protocol={protocol} draft={draft} yes={send} no={() => ask(false)} />}
    </>
  );
}

function Wrong({ children }: { children: string }) {
  return (
    <p role="alert" className={styles.wrong}>
      <IconAlertTriangleFilled size={16} aria-hidden="true" />
      <span>{children}</span>
    </p>
  );
}

function PublishFailure({ error }: { error: unknown }) {
  const t = useTranslations("protocols.text");
  const problem = useProblem();
  const fields = error instanceof Failure ? (error.fields ?? []) : [];
  return (
    <>
      <Wrong>{t("publishFailed", { reason: problem(error) })}</Wrong>
      {fields.map(({ field, description }) => (
        <p key={`${field} ${description}`} className={styles.second} lang="en">
          {description}
        </p>
      ))}
    </>
  );
}

type Problems = NonNullable<ReturnType<typeof useValidate>["data"]>["problems"];

function Checked(props: { problems: Problems; isStale: boolean; goTo: (line: number) => void }) {
  const { problems, isStale, goTo } = props;
  const t = useTranslations("protocols.text");
  return (
    <div role="status" className={styles.checked}>
      {isStale && <p className={styles.stale}>{t("stale")}</p>}
      {problems.length === 0 ? (
        <p className={styles.fine}>
          <IconCheck size={16} stroke={1.9} aria-hidden="true" /> <span>{t("fine")}</span>
        </p>
      ) : (
        <>
          <h2>{t("problems", { count: problems.length })}</h2>
          <ul className={styles.problems}>
            {problems.map(({ path, line, problem, help }) => (
              <li key={`${path} ${problem}`}>
                <button type="button" onClick={() => goTo(line)} disabled={line === 0}>
                  <strong>{t("line", { line })}</strong> <bdi>{path}</bdi>
                </button>
                <p lang="en">
                  <strong>{problem}</strong>. {help}
                </p>
              </li>
            ))}
          </ul>
        </>
      )}
    </div>
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
