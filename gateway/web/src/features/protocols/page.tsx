/** Protocols: the list, and one as a timeline or as the text that is followed. */
import { Button, NativeSelect } from "@mantine/core";
import { IconChevronRight } from "@tabler/icons-react";
import { Link, useNavigate, useParams, useSearch } from "@tanstack/react-router";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import type { Protocol } from "@/api/client";
import { Chips } from "@/ui/chips";
import { partsIn } from "@/ui/moments";
import { Card, Page } from "@/ui/page";
import { Empty, Loaded } from "@/ui/states";
import { useHomeZone, useWhen } from "@/ui/when";
import { DryRunPanel } from "./dry-run-panel";
import { Editor } from "./editor";
import { useDraft, useProtocol, useProtocols, useShape } from "./hooks";
import type { Shape } from "./parse";
import { Picture } from "./picture";
import styles from "./protocols.module.css";
import { Publishing } from "./publishing";
import { Endings, InOrder, Rules, StepCard } from "./step-card";
import { type Trying, useTrying } from "./trying";

export function ProtocolsPage() {
  const t = useTranslations("protocols");
  const query = useProtocols();
  return (
    <Page title={t("title")}>
      <p className={styles.intro}>{t("list.text")}</p>
      <Loaded query={query} title={t("failed")}>
        {(protocols) => (
          <Card>
            {protocols.length === 0 ? (
              <Empty title={t("list.emptyTitle")}>
                <p>{t("list.emptyText")}</p>
              </Empty>
            ) : (
              <ul className={styles.list}>
                {protocols.map((protocol) => (
                  <Row key={protocol.id} protocol={protocol} />
                ))}
              </ul>
            )}
          </Card>
        )}
      </Loaded>
    </Page>
  );
}

function Row({ protocol }: { protocol: Protocol }) {
  const t = useTranslations("protocols.list");
  const shape = useShape(protocol.text);
  const since = useSince(protocol);
  const steps = shape?.steps ?? [];
  const roles = new Set(steps.map(({ role }) => role)).size;
  return (
    <li className={styles.listRow}>
      <div>
        <Link
          to="/protocols/$protocolId"
          params={{ protocolId: protocol.id }}
          className={styles.listLink}
        >
          <bdi>{protocol.title}</bdi>
        </Link>
        <span className={styles.second}>{t("steps", { steps: steps.length, roles })}</span>
      </div>
      <span className={styles.tag}>{t("version", { version: protocol.version, time: since })}</span>
      <IconChevronRight size={18} stroke={1.9} aria-hidden="true" />
    </li>
  );
}

function useSince({ publishTime }: Protocol): string {
  const when = useWhen();
  const zone = useHomeZone();
  return publishTime ? when.date(partsIn(zone, new Date(publishTime)), zone) : "";
}

/** "2013-01-01" as people say it. */
function useDay(day: string): string {
  const when = useWhen();
  const zone = useHomeZone();
  const [year, month, date] = day.split("-").map(Number);
  return when.date({ year, month, day: date }, zone) || day;
}

export function ProtocolPage() {
  const t = useTranslations("protocols");
  const { protocolId } = useParams({ from: "/shell/protocols/$protocolId" });
  const { version = 0 } = useSearch({ from: "/shell/protocols/$protocolId" });
  const newest = useProtocol(protocolId, 0);
  const query = useProtocol(protocolId, version);
  return (
    <Loaded query={query} title={t("failed")} shape="page">
      {(protocol) => (
        <Shown
          key={protocolId}
          protocol={protocol}
          newestVersion={newest.data?.version ?? protocol.version}
        />
      )}
    </Loaded>
  );
}

function Shown({ protocol, newestVersion }: { protocol: Protocol; newestVersion: number }) {
  const t = useTranslations("protocols");
  const search = useSearch({ from: "/shell/protocols/$protocolId" });
  const go = useNavigate({ from: "/protocols/$protocolId" });
  const [draft, write] = useDraft(protocol.id);
  const isNewest = protocol.version === newestVersion;
  const shownDraft = isNewest ? draft : null;
  const shape = useShape(shownDraft ?? protocol.text);
  const change = (to: typeof search) =>
    void go({ search: (old) => ({ ...old, ...to }), replace: true, resetScroll: false });
  const step = shape?.steps.find(({ key }) => key === search.step);
  const trying = useTrying(shownDraft ?? protocol.text, shownDraft !== null);
  const [line, setLine] = useState(0);
  const published = ({ id }: Protocol) =>
    void go({ to: "/protocols/$protocolId", params: { protocolId: id } });
  const openText = (at = 0) => {
    setLine(at);
    change({ view: "text" });
  };
  return (
    <Page
      title={shape?.title || protocol.title}
      beside={<Tags protocol={protocol} isNewest={isNewest} isDraft={shownDraft !== null} />}
      actions={
        <>
          <Versions
            shown={protocol.version}
            newest={newestVersion}
            choose={(version) => change({ version })}
          />
          <Chips
            label={t("view")}
            chosen={search.view ?? "picture"}
            choose={(view) => change({ view: view === "text" ? "text" : undefined })}
            options={[
              { key: "picture", label: t("views.picture") },
              { key: "text", label: t("views.text") },
            ]}
          />
        </>
      }
    >
      {search.view === "text" ? (
        <Editor
          protocol={protocol}
          shape={shape}
          draft={shownDraft}
          write={write}
          trying={trying}
          line={line || (step?.line ?? 0)}
          published={published}
        />
      ) : (
        <Drawn
          shape={shape}
          picked={search.step ?? ""}
          pick={(key) => change({ step: key })}
          openText={() => openText()}
          trying={trying}
        >
          <DryRunPanel shape={shape} trying={trying} goTo={openText}>
            <Publishing
              protocol={protocol}
              draft={shownDraft}
              trying={trying}
              write={write}
              published={published}
            />
          </DryRunPanel>
        </Drawn>
      )}
    </Page>
  );
}

function Tags(props: { protocol: Protocol; isNewest: boolean; isDraft: boolean }) {
  const { protocol, isNewest, isDraft } = props;
  const t = useTranslations("protocols");
  const { version } = protocol;
  const time = useSince(protocol);
  const date = useDay(protocol.effectiveFrom);
  return (
    <>
      <span className={styles.tag}>
        {isNewest ? t("version", { version, time }) : t("old", { version, time })}
      </span>
      {isDraft && <span className={styles.draft}>{t("draft", { version: version + 1 })}</span>}
      <span className={styles.second}>{t("from", { date })}</span>
    </>
  );
}

interface VersionsProps {
  shown: number;
  newest: number;
  choose: (version: number | undefined) => void;
}

function Versions({ shown, newest, choose }: VersionsProps) {
  const t = useTranslations("protocols");
  if (newest < 2) return null;
  const versions = Array.from({ length: newest }, (_, at) => newest - at);
  return (
    <NativeSelect
      size="xs"
      aria-label={t("versions")}
      value={String(shown)}
      onChange={(event) => {
        const version = Number(event.currentTarget.value);
        choose(version === newest ? undefined : version);
      }}
      data={versions.map((version) => ({
        value: String(version),
        label: version === newest ? t("newest", { version }) : t("versionOf", { version }),
      }))}
    />
  );
}

interface DrawnProps {
  shape: Shape | null;
  picked: string;
  pick: (key: string) => void;
  openText: () => void;
  trying: Trying;
  /** The dry run. */
  children: ReactNode;
}

function Drawn({ shape, picked, pick, openText, trying, children }: DrawnProps) {
  const t = useTranslations("protocols");
  if (!shape) {
    return (
      <Card>
        <Empty title={t("noPicture")} actions={<Button onClick={openText}>{t("openText")}</Button>}>
          <p>{t("noPictureText")}</p>
        </Empty>
      </Card>
    );
  }
  const step = shape.steps.find(({ key }) => key === picked);
  /** On a phone the step stands below the list. */
  const pickAndShow = (key: string) => {
    pick(key);
    requestAnimationFrame(() =>
      document.getElementById("step")?.scrollIntoView({ block: "nearest" }),
    );
  };
  return (
    <div className={styles.drawn}>
      <div className={styles.main}>
        <Picture shape={shape} picked={picked} pick={pick} trying={trying} />
        {step ? (
          <StepCard step={step} openText={openText} />
        ) : (
          <p className={styles.second}>{t("step.pick")}</p>
        )}
        <Endings shape={shape} />
      </div>
      <div className={styles.aside}>{children}</div>
      <div className={styles.order}>
        <InOrder shape={shape} picked={picked} pick={pickAndShow} />
      </div>
      <div className={styles.rules}>
        <Rules shape={shape} />
      </div>
    </div>
  );
}
