/** Empty, loading, error, no permission, offline: what a list or a page says when it has nothing else to show. */
import { Button, VisuallyHidden } from "@mantine/core";
import {
  IconAlertTriangleFilled,
  IconCheck,
  IconHourglass,
  IconLock,
  IconWifiOff,
} from "@tabler/icons-react";
import { Link } from "@tanstack/react-router";
import { type ReactNode, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { Failure } from "@/api/client";
import styles from "./states.module.css";
import { useHomeZone, useWhen } from "./when";

interface StateProps {
  icon: ReactNode;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  /** Below the actions, apart from them. */
  more?: ReactNode;
  tone?: "late";
  /** The page has no other headline. */
  isPage?: boolean;
}

function State({ icon, title, children, actions, more, tone, isPage }: StateProps) {
  return (
    <div className={styles.state}>
      <div className={styles.badge} data-tone={tone}>
        {icon}
      </div>
      {isPage ? (
        <h1 className={styles.title}>{title}</h1>
      ) : (
        <h2 className={styles.title}>{title}</h2>
      )}
      {children && <div className={styles.text}>{children}</div>}
      {actions && <div className={styles.actions}>{actions}</div>}
      {more}
    </div>
  );
}

type EmptyProps = Pick<StateProps, "title" | "children" | "actions" | "icon">;

/** Nothing here, and what comes next. */
export function Empty({ icon, ...rest }: Omit<EmptyProps, "icon"> & { icon?: ReactNode }) {
  return <State icon={icon ?? <IconCheck size={22} stroke={1.9} />} {...rest} />;
}

/** What happened, what is safe, what to do, a short code. */
export function Failed({
  title,
  error,
  retry,
}: {
  title?: string;
  error: unknown;
  retry?: () => void;
}) {
  const t = useTranslations("shell.states");
  const failure = error instanceof Failure ? error : new Failure(0);
  if (failure.isHidden) return <NoAccess />;
  return (
    <div role="alert">
      <State
        tone="late"
        icon={<IconAlertTriangleFilled size={22} />}
        title={title ?? t("failed")}
        actions={retry && <Button onClick={retry}>{t("tryAgain")}</Button>}
      >
        <p>{failure.status === 0 ? t("noAnswer") : t("safe")}</p>
        {failure.code && <p className={styles.code}>{t("code", { code: failure.code })}</p>}
      </State>
    </div>
  );
}

/** No permission and not found are one page with one text. */
export function NoAccess({ children }: { children?: ReactNode }) {
  const t = useTranslations("shell.states");
  return (
    <State
      isPage
      icon={<IconLock size={22} stroke={1.9} />}
      title={t("hidden")}
      more={children}
      actions={
        <Button component={Link} to="/" variant="default">
          {t("home")}
        </Button>
      }
    >
      <p>{t("hiddenText")}</p>
    </State>
  );
}

const QUIET_MS = 300;
const SLOW_SECONDS = 8;
const SHAPES = { rows: 6, page: 4, card: 2 } as const;

/** Nothing for 300 ms, then the shape of what comes, and a sentence when it is slow. */
export function Loading({
  shape = "rows",
  retry,
}: {
  shape?: keyof typeof SHAPES;
  retry?: () => void;
}) {
  const t = useTranslations("shell.states");
  const [phase, enter] = useState<"quiet" | "shape" | "slow">("quiet");
  useEffect(() => {
    const timers = [
      setTimeout(() => enter("shape"), QUIET_MS),
      setTimeout(() => enter("slow"), SLOW_SECONDS * 1000),
    ];
    return () => timers.forEach(clearTimeout);
  }, []);
  return (
    <div aria-busy="true" className={styles.loading}>
      <VisuallyHidden role="status">{phase === "quiet" ? "" : t("loading")}</VisuallyHidden>
      {phase !== "quiet" && <Bones count={SHAPES[shape]} />}
      {phase === "slow" && (
        <div className={styles.slow}>
          <IconHourglass size={16} stroke={1.9} aria-hidden="true" />
          <span>{t("stillLoading", { seconds: SLOW_SECONDS })}</span>
          {retry && (
            <Button variant="subtle" size="compact-sm" onClick={retry}>
              {t("tryAgain")}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}

function Bones({ count }: { count: number }) {
  return (
    <div aria-hidden="true">
      {Array.from({ length: count }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: shapes without identity
        <div key={row} className={styles.bones}>
          <span style={{ inlineSize: 26 }} />
          <span style={{ inlineSize: `${38 - (row % 3) * 8}%` }} />
          <span style={{ inlineSize: 96, marginInlineStart: "auto" }} />
        </div>
      ))}
    </div>
  );
}

/** Above a list that goes on after its last row: nobody may take what is missing for what is not there. */
export function Cut() {
  const t = useTranslations("shell.states");
  return (
    <p className={styles.cut} role="status">
      <IconAlertTriangleFilled size={16} aria-hidden="true" />
      <span>{t("cut")}</span>
    </p>
  );
}

interface Asked<T> {
  data: T | undefined;
  error: unknown;
  refetch: () => unknown;
  /** The data is a list, and not all of it. */
  isCut?: boolean;
}

/** The data of a query, or the state that it is in. What was loaded before stays while it is asked again. */
export function Loaded<T>(props: {
  query: Asked<T>;
  title?: string;
  shape?: keyof typeof SHAPES;
  children: (data: NonNullable<T>) => ReactNode;
}) {
  const { query, title, shape, children } = props;
  const { data, error, isCut } = query;
  if (data !== undefined && data !== null) {
    return (
      <>
        {isCut && <Cut />}
        {children(data as NonNullable<T>)}
      </>
    );
  }
  const retry = () => void query.refetch();
  if (error) return <Failed title={title} error={error} retry={retry} />;
  return <Loading shape={shape} retry={retry} />;
}

/** Grey and calm: it is normal to have no connection. */
export function OfflineBar({ since }: { since: Date }) {
  const t = useTranslations("shell.states");
  const when = useWhen();
  const zone = useHomeZone();
  return (
    <div className={styles.offline} role="status">
      <IconWifiOff size={18} stroke={1.9} aria-hidden="true" />
      <span>
        <strong>{t("offline", { time: when.time(since, zone) })}</strong> {t("offlineText")}
      </span>
    </div>
  );
}
