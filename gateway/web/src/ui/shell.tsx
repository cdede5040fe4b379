/** What surrounds every screen: the menu, the search, whether it is live, the account. */
import { ActionIcon, AppShell, Menu } from "@mantine/core";
import { IconDots, IconHelp, IconSearch } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { Link, Outlet, useNavigate } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { Failure } from "@/api/client";
import { facilitiesQuery, meQuery, useMe } from "@/api/queries";
import { NotStaffPage, SignInPage } from "@/features/signin/page";
import { useCounts } from "@/features/worklist/counts";
import { type Screen, screensFor } from "@/navigation";
import { AccountMenu } from "./account-menu";
import { Counted } from "./counted";
import { Cap, useKeys } from "./keys";
import { KeysHelp } from "./keys-help";
import { LiveDot, LiveProvider, useOffline } from "./live";
import { Mark } from "./mark";
import { SessionCover } from "./session-cover";
import styles from "./shell.module.css";
import { Failed, Loading, OfflineBar } from "./states";
import { ToastProvider } from "./toasts";
import { NowProvider, useHomeZone, useNow, useWhen } from "./when";

const PatientFinder = lazy(() => import("@/features/patients/finder"));

/** Nothing is asked before it is known who asks. */
export function Shell() {
  const me = useQuery(meQuery);
  if (me.data) {
    return (
      <NowProvider>
        <LiveProvider>
          <SessionCover>
            <ToastProvider>
              <Frame />
            </ToastProvider>
          </SessionCover>
        </LiveProvider>
      </NowProvider>
    );
  }
  if (me.error instanceof Failure && me.error.isSignedOut)
    return me.error.reason === "STAFF_UNKNOWN" ? <NotStaffPage /> : <SignInPage />;
  return (
    <main>
      {me.error ? (
        <Failed error={me.error} retry={() => void me.refetch()} />
      ) : (
        <Loading shape="page" />
      )}
    </main>
  );
}

function Frame() {
  const t = useTranslations("shell");
  const screens = screensFor(useMe().permissions);
  const [isFinding, find] = useState(false);
  const [isHelping, help] = useState(false);
  const offlineSince = useOffline();
  const mayFind = screens.some(({ key }) => key === "patients");
  useQuery(facilitiesQuery);
  useShellKeys(
    screens,
    () => mayFind && find(true),
    () => help(true),
  );
  return (
    <AppShell
      layout="alt"
      padding={0}
      header={{ height: 52 }}
      navbar={{ width: 196, breakpoint: "md", collapsed: { mobile: true } }}
      footer={{ height: { base: 56, md: 0 } }}
    >
      <a className={styles.skip} href="#content">
        {t("skip")}
      </a>
      <AppShell.Navbar className={styles.navbar} visibleFrom="md">
        <div className={styles.brand}>
          <Mark />
        </div>
        <MainMenu screens={screens} />
        <AccountMenu />
      </AppShell.Navbar>
      <AppShell.Header className={styles.header}>
        {mayFind && (
          <button
            type="button"
            className={styles.find}
            aria-keyshortcuts="Control+K"
            onClick={() => find(true)}
          >
            <IconSearch size={16} stroke={1.9} aria-hidden="true" />
            <span className={styles.findText}>{t("find.placeholder")}</span>
            <span className={styles.findKeys}>
              <Cap>Ctrl</Cap> <Cap>K</Cap>
            </span>
          </button>
        )}
        <div className={styles.status}>
          <LiveDot />
          <HeaderTime />
          <ActionIcon
            variant="default"
            size={30}
            className={styles.help}
            aria-label={t("keys.all")}
            aria-keyshortcuts="?"
            onClick={() => help(true)}
          >
            <IconHelp size={18} stroke={1.9} aria-hidden="true" />
          </ActionIcon>
          <span className={styles.phoneAccount}>
            <AccountMenu isSmall />
          </span>
        </div>
      </AppShell.Header>
      <AppShell.Main
        className={styles.main}
        id="content"
        tabIndex={-1}
        data-is-offline={Boolean(offlineSince)}
      >
        {offlineSince && <OfflineBar since={offlineSince} />}
        <Outlet />
      </AppShell.Main>
      <Tabs screens={screens} />
      {isFinding && (
        <Suspense>
          <PatientFinder close={() => find(false)} />
        </Suspense>
      )}
      {isHelping && <KeysHelp close={() => help(false)} />}
    </AppShell>
  );
}

function useShellKeys(screens: Screen[], find: () => void, help: () => void): void {
  const go = useNavigate();
  const goes = (key: Screen["key"]) => {
    const screen = screens.find((one) => one.key === key);
    return screen && (() => void go({ to: screen.path }));
  };
  useKeys({
    "?": help,
    "g w": goes("worklist"),
    "g p": goes("patients"),
    "g s": goes("appointments"),
  });
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "k") return;
      event.preventDefault();
      find();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  });
}

function HeaderTime() {
  const when = useWhen();
  const now = useNow();
  const zone = useHomeZone();
  return <time className={styles.time}>{when.full(now, zone)}</time>;
}

function MainMenu({ screens }: { screens: Screen[] }) {
  const t = useTranslations("shell.nav");
  const network = screens.filter(({ isCare }) => !isCare);
  return (
    <nav className={styles.menu} aria-label={t("label")}>
      {screens.filter(({ isCare }) => isCare).map(item)}
      {network.length > 0 && <h2 className={styles.menuTitle}>{t("network")}</h2>}
      {network.map(item)}
    </nav>
  );

  function item(screen: Screen) {
    return <MenuLink key={screen.key} screen={screen} label={t(screen.key)} size={18} />;
  }
}

const MOST_TABS = 4;

/** The menu of a phone: four tabs at the bottom; more screens than that are behind the last. */
function Tabs({ screens }: { screens: Screen[] }) {
  const t = useTranslations("shell");
  const isMany = screens.length > MOST_TABS;
  const first = isMany ? screens.slice(0, MOST_TABS - 1) : screens;
  return (
    <AppShell.Footer className={styles.tabs} hiddenFrom="md">
      <nav aria-label={t("nav.label")}>
        {first.map((screen) => (
          <MenuLink key={screen.key} screen={screen} label={t(`tabs.${screen.key}`)} size={20} />
        ))}
        {isMany && (
          <Menu position="top-end" shadow="md" keepMounted={false}>
            <Menu.Target>
              <button type="button" className={styles.link}>
                <IconDots size={20} stroke={1.9} aria-hidden="true" />
                <span>{t("nav.more")}</span>
              </button>
            </Menu.Target>
            <Menu.Dropdown>
              {screens.slice(first.length).map(({ key, path, icon: Icon }) => (
                <Menu.Item
                  key={key}
                  component={Link}
                  to={path}
                  leftSection={<Icon size={18} stroke={1.9} />}
                >
                  {t(`nav.${key}`)}
                </Menu.Item>
              ))}
            </Menu.Dropdown>
          </Menu>
        )}
      </nav>
    </AppShell.Footer>
  );
}

function MenuLink({ screen, label, size }: { screen: Screen; label: string; size: number }) {
  const Icon = screen.icon;
  return (
    <Link to={screen.path} className={styles.link} activeProps={{ "data-is-here": "true" }}>
      <Icon size={size} stroke={1.9} aria-hidden="true" />
      <span>{label}</span>
      {screen.key === "worklist" && <Waiting />}
    </Link>
  );
}

/** What waits on the list that the menu opens. */
function Waiting() {
  const { team } = useCounts();
  return (
    <span className={styles.badge}>
      <Counted open={team?.open ?? 0} late={team?.late ?? 0} isTight />
    </span>
  );
}
