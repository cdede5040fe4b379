/** A question or a form over the page. Esc and the cross close it; the focus goes back to where it was. */
import { Modal } from "@mantine/core";
import { type ReactNode, useEffect, useState } from "react";
import styles from "./page.module.css";

interface DialogProps {
  title: string;
  close: () => void;
  /** What the cross says to people who listen, such as "Keep editing". */
  closeLabel: string;
  size?: "md" | "lg";
  /** Where what is typed makes it grow: it stays at the top then. */
  isAtTop?: boolean;
  children: ReactNode;
}

export function Dialog({ title, close, closeLabel, isAtTop, size = "md", children }: DialogProps) {
  useFocusBack();
  return (
    <Modal
      opened
      onClose={close}
      size={size}
      centered={!isAtTop}
      title={title}
      closeButtonProps={{ "aria-label": closeLabel }}
      classNames={{ title: styles.dialogTitle }}
      // The page has a banner already; a dialog's head is none.
      attributes={{ header: { role: "presentation" } }}
    >
      {children}
    </Modal>
  );
}

/** To what it was opened from, unless something else has it by then. Mantine's own is for dialogs that stay mounted. */
function useFocusBack(): void {
  const [opener] = useState(() => document.activeElement);
  useEffect(
    () => () => {
      // Once the dialog is gone, and what opened it may be focused again.
      requestAnimationFrame(() => {
        const isLost = document.activeElement === document.body;
        if (isLost && opener instanceof HTMLElement) opener.focus();
      });
    },
    [opener],
  );
}
