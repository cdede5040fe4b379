/** What a preview comes to: for whom anything changes, and for whom of those who are named it does not. Pure. */
import { borne } from "@/features/access/words";
import type { Messages } from "@/i18n/en";
import english from "@/i18n/en";
import type { Effect, Preview } from "./hooks";

export interface Told {
  changing: Effect[];
  /** Ids of those who are named, and for whom nothing changes. */
  unchanged: string[];
}

export function told(preview: Pick<Preview, "effects">): Told {
  const effects = preview.effects.map((effect) => ({
    ...effect,
    opened: borne(effect.opened),
    closed: borne(effect.closed),
  }));
  const isChanging = ({ opened, closed }: Effect) => opened.length + closed.length > 0;
  return {
    changing: effects.filter(isChanging),
    unchanged: effects.filter((effect) => !isChanging(effect)).map(({ granteeId }) => granteeId),
  };
}

type Obstacle = keyof Messages["access"]["lines"]["obstacle"];

const OBSTACLES = new Map(
  Object.entries(english.access.lines.obstacle).map(([key, words]) => [words, key as Obstacle]),
);

/** A remark comes in English, and as a word only in explanations: the word, where the sentence is one of those. */
export const obstacleOf = (remark: string): Obstacle | undefined => OBSTACLES.get(remark);
