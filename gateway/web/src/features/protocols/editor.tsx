/** The text: read, edited as a draft, tried, published. */
import { Button } from "@mantine/core";
import { type RefObject, useEffect, useRef } from "react";
import { useTranslations } from "use-intl";
import type { Protocol } from "@/api/client";
import { useMay } from "@/api/queries";
import { Card } from "@/ui/page";
import { DryRunPanel } from "./dry-run-panel";
import styles from "./editor.module.css";
import type { Shape } from "./parse";
import { Publishing } from "./publishing";
import type { Trying } from "./trying";

const LINE_PX = 18;

interface Props {
  protocol: Protocol;
  shape: Shape | null;
  draft: string | null;
  write: (text: string | null) => void;
  trying: Trying;
  /** Shown first. 0: the top. */
  line: number;
  published: (protocol: Protocol) => void;
}

export function Editor({ protocol, shape, draft, write, trying, line, published }: Props) {
  const area = useRef<HTMLTextAreaElement>(null);
  const text = draft ?? protocol.text;
  const goTo = (to: number) => showLine(area, to);
  useEffect(() => {
    if (line > 0) showLine(area, line);
  }, [line]);
  return (
    <div className={styles.columns}>
      <TextArea area={area} text={text} write={draft === null ? undefined : write} />
      <div className={styles.desk}>
        <Desk protocol={protocol} draft={draft} write={write} />
        <DryRunPanel shape={shape} trying={trying} goTo={goTo}>
          <Publishing
            protocol={protocol}
            draft={draft}
            trying={trying}
            write={write}
            published={published}
          />
        </DryRunPanel>
      </div>
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

type DeskProps = Pick<Props, "protocol" | "draft" | "write">;

function Desk({ protocol, draft, write }: DeskProps) {
  const t = useTranslations("protocols.text");
  const may = useMay("protocols.write");
  return (
    <Card className={styles.state}>
      {draft !== null && <p className={styles.second}>{t("editing")}</p>}
      {draft === null && <p>{t("published")}</p>}
      {draft === null && !may && <p className={styles.second}>{t("readOnly")}</p>}
      {may && (
        <div className={styles.buttons}>
          {draft === null ? (
            <Button size="xs" onClick={() => write(protocol.text)}>
              {t("edit")}
            </Button>
          ) : (
            <Button size="xs" variant="default" onClick={() => write(null)}>
              {t("discard")}
            </Button>
          )}
        </div>
      )}
      <p className={styles.small}>{t("help")}</p>
    </Card>
  );
}
