/** A dry run in hand: what is asked, what came of it, and whether it is of exactly the text that is shown. */
import { useEffect, useState } from "react";
import { useMe } from "@/api/queries";
import type { DryRun, Example } from "./dry-run";
import { useDryRun } from "./hooks";

export interface Trying {
  example: Example;
  change: (to: Partial<Example>) => void;
  /** Try the text that is shown on the example as it is. */
  start: () => void;
  run?: DryRun;
  /** Where the run's dates are counted. */
  facilityId: string;
  error: unknown;
  isPending: boolean;
  /** Text or example have changed since. */
  isStale: boolean;
  /** Of exactly the text that is shown, with nothing wrong: this and nothing else can be published. */
  isOfThisText: boolean;
}

const NEW: Example = {
  facilityId: "",
  leaves: "",
  visitClass: "INPATIENT",
  diagnoses: "",
  story: "nothing",
};

/** A published text is tried at once; a draft when somebody asks. */
export function useTrying(text: string, isDraft: boolean): Trying {
  const [facilityId = ""] = useMe().facilityIds;
  const [example, set] = useState<Example>({ ...NEW, facilityId });
  const [asked, ask] = useState<{ text: string; example: Example } | null>(null);
  useEffect(() => {
    if (isDraft || !facilityId) return;
    ask((last) => ({ text, example: last?.example ?? { ...NEW, facilityId } }));
  }, [text, isDraft, facilityId]);
  const query = useDryRun(asked);
  const run = asked ? query.data : undefined;
  const filled = { ...example, leaves: example.leaves || run?.encounter?.localDischargeTime || "" };
  const isFresh = !query.isPlaceholderData && query.isSuccess && asked?.text === text;
  return {
    example: filled,
    change: (to) => set({ ...filled, ...to }),
    start: () => {
      set(filled);
      ask({ text, example: filled });
    },
    run,
    facilityId: asked?.example.facilityId ?? facilityId,
    error: query.error,
    isPending: query.isFetching,
    isStale: Boolean(run) && (asked?.text !== text || differs(asked.example, filled)),
    isOfThisText: isFresh && run?.problems.length === 0,
  };
}

function differs(asked: Example, now: Example): boolean {
  return (Object.keys(now) as (keyof Example)[]).some(
    (key) => asked[key] !== now[key] && (key !== "leaves" || asked.leaves !== ""),
  );
}
