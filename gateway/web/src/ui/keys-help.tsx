/** All keys on one page. */
import { useTranslations } from "use-intl";
import { Dialog } from "./dialog";
import { Cap, useKeySwitch } from "./keys";
import styles from "./keys.module.css";

const GROUPS = [
  {
    title: "everywhere",
    keys: [
      ["Ctrl K", "find"],
      ["?", "help"],
      ["Esc", "back"],
      ["G W", "goWorklist"],
      ["G P", "goPatients"],
      ["G S", "goAppointments"],
    ],
  },
  {
    title: "inList",
    keys: [
      ["J K", "move"],
      ["Enter", "open"],
      ["R", "showNew"],
      ["F", "filter"],
      ["X", "clear"],
    ],
  },
  {
    title: "onTask",
    keys: [
      ["1 2 3", "outcome"],
      ["C", "claim"],
      ["A", "assign"],
      ["D", "decline"],
      ["N", "note"],
      ["Z", "undo"],
    ],
  },
] as const;

export function KeysHelp({ close }: { close: () => void }) {
  const t = useTranslations("shell.keys");
  const { isOn } = useKeySwitch();
  return (
    <Dialog title={t("title")} close={close} closeLabel={t("close")} size="lg">
      {!isOn && <p>{t("off")}</p>}
      <div className={styles.groups}>
        {GROUPS.map(({ title, keys }) => (
          <section key={title}>
            <h3>{t(title)}</h3>
            <dl>
              {keys.map(([caps, what]) => (
                <div key={what} className={styles.row}>
                  <dt>
                    {caps.split(" ").map((cap) => (
                      <span key={cap}>{isOn ? <Cap>{cap}</Cap> : cap} </span>
                    ))}
                    <span className={styles.spoken}>{caps}</span>
                  </dt>
                  <dd>{t(what)}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
