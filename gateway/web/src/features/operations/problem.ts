/** What an error of the API says, in one sentence. */
import { useTranslations } from "use-intl";
import { Failure } from "@/api/client";

export function useProblem() {
  const t = useTranslations("operations.reason");
  return (error: unknown): string => {
    const failure = error instanceof Failure ? error : new Failure(0);
    if (!failure.message) return t("noAnswer");
    if (failure.status < 500) return failure.message;
    return t("code", { detail: failure.message, code: failure.code });
  };
}
