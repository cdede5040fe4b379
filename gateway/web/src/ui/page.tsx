/** A screen: its headline, what stands beside it, and the window's title (which never names a patient). */
import { type ReactNode, useEffect } from "react";
import styles from "./page.module.css";

interface PageProps {
  title: string;
  /** Beside the headline: filters, facts. */
  beside?: ReactNode;
  /** At the end of the line: buttons. */
  actions?: ReactNode;
  children: ReactNode;
}

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · CareHub`;
  }, [title]);
}

export function Page({ title, beside, actions, children }: PageProps) {
  useTitle(title);
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1>{title}</h1>
        {beside}
        {actions && <div className={styles.actions}>{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A surface with a line around it. */
export function Card({ children, className }: { children: ReactNode; className?: string }) {
  return <div className={className ? `${styles.card} ${className}` : styles.card}>{children}</div>;
}
