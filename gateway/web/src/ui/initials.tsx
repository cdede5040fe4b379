/** A person or a team as a small round sign. Decoration: the name stands beside it. */
import styles from "./shell.module.css";

export function initialsOf(name: string): string {
  const words = name.split(/[\s·]+/).filter(Boolean);
  const ends = words.length > 1 ? [words[0], words.at(-1)] : words;
  return ends
    .map((each) => Array.from(each ?? "")[0] ?? "")
    .join("")
    .toUpperCase();
}

export function Initials({ name, isMe = false }: { name: string; isMe?: boolean }) {
  return (
    <span className={styles.initials} data-is-me={isMe} data-is-nobody={!name} aria-hidden="true">
      {initialsOf(name)}
    </span>
  );
}
