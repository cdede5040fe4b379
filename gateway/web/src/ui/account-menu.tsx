/** Who is signed in, and what they can set for themselves: colors, language, keys; and the way out. */
import { Menu, useMantineColorScheme } from "@mantine/core";
import { IconCheck, IconLogout } from "@tabler/icons-react";
import { useTranslations } from "use-intl";
import { useFacilities, useMe } from "@/api/queries";
import { signOut } from "@/api/session";
import { LANGUAGES, type Language, useLanguage } from "@/i18n/language";
import { Initials } from "./initials";
import { useKeySwitch } from "./keys";
import styles from "./shell.module.css";
import { useToasts } from "./toasts";

const COLORS = { light: "light", dark: "dark", auto: "system" } as const;

export function AccountMenu({ isSmall = false }: { isSmall?: boolean }) {
  const t = useTranslations("shell.account");
  const roles = useTranslations("shell.roles");
  const { staffMember } = useMe();
  const facilities = useFacilities();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const [language, choose] = useLanguage();
  const keys = useKeySwitch();
  const [first] = staffMember.roles;
  const place = first?.facilityId ? facilities.get(first.facilityId)?.name : t("network");
  const roleKey = first?.role as Parameters<typeof roles>[0] | undefined;
  const tick = (isOn: boolean) =>
    isOn ? <IconCheck size={16} /> : <span className={styles.noTick} />;
  const { settle } = useToasts();
  // What still waits needs the session; where it was refused, the person is told, and stays.
  const leave = async () => {
    if (await settle()) location.assign(await signOut());
  };
  return (
    <Menu
      position={isSmall ? "bottom-end" : "top-start"}
      width={220}
      shadow="md"
      keepMounted={false}
    >
      <Menu.Target>
        <button type="button" className={styles.account} data-is-small={isSmall}>
          <Initials name={staffMember.displayName} isMe />
          {isSmall ? (
            <span className={styles.onlySpoken}>{t("label")}</span>
          ) : (
            <span className={styles.accountText}>
              <bdi className={styles.accountName}>{staffMember.displayName}</bdi>
              <span className={styles.accountPlace}>
                {roleKey && roles.has(roleKey) ? roles(roleKey) : place}
              </span>
            </span>
          )}
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Label>{t("theme")}</Menu.Label>
        {(Object.keys(COLORS) as (keyof typeof COLORS)[]).map((each) => (
          <Menu.Item
            key={each}
            role="menuitemradio"
            aria-checked={colorScheme === each}
            leftSection={tick(colorScheme === each)}
            onClick={() => setColorScheme(each)}
          >
            {t(COLORS[each])}
          </Menu.Item>
        ))}
        <Menu.Label>{t("language")}</Menu.Label>
        {(Object.keys(LANGUAGES) as Language[]).map((each) => (
          <Menu.Item
            key={each}
            lang={each}
            role="menuitemradio"
            aria-checked={language === each}
            leftSection={tick(language === each)}
            onClick={() => choose(each)}
          >
            {LANGUAGES[each]}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          role="menuitemcheckbox"
          aria-checked={keys.isOn}
          leftSection={tick(keys.isOn)}
          onClick={() => keys.turn(!keys.isOn)}
        >
          {t("keys")}
        </Menu.Item>
        <Menu.Item leftSection={<IconLogout size={16} stroke={1.9} />} onClick={() => void leave()}>
          {t("signOut")}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
