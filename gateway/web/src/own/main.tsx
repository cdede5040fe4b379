/** The page of patients, at /my: a page of its own, which loads on a slow telephone. */
import "@/ui/tokens.css";
import { StrictMode, useCallback, useEffect, useState } from "react";
import { createRoot } from "react-dom/client";
import { IntlProvider } from "use-intl";
import english from "@/i18n/en/own.json";
import type { Language } from "@/i18n/language";
import { kept } from "@/ui/kept";
import { Page } from "./page";

type Spoken = { language: Language; own: typeof english };
const dark = matchMedia("(prefers-color-scheme: dark)").matches;
document.documentElement.dataset.mantineColorScheme = dark ? "dark" : "light";
const place = document.getElementById("root");
if (!place) throw new Error("my.html has no place for the page.");

const isSpanish = (wanted: string) => wanted.toLowerCase().startsWith("es");

async function load(language: Language): Promise<Spoken> {
  const own = language === "es" ? (await import("@/i18n/es/own.json")).default : english;
  return { language, own };
}

function App() {
  const [spoken, speak] = useState<Spoken>();
  const change = useCallback((language: Language) => {
    void load(language).then((next) => {
      document.documentElement.lang = language;
      speak(next);
    });
  }, []);
  useEffect(() => {
    change(isSpanish(kept.get("language") || navigator.language) ? "es" : "en");
  }, [change]);
  const choose = (language: Language) => {
    kept.set("language", language);
    change(language);
  };
  // The language of the person, unless they have chosen one here.
  const prefer = useCallback(
    (wanted: string) => {
      if (!kept.get("language") && wanted) change(isSpanish(wanted) ? "es" : "en");
    },
    [change],
  );
  if (!spoken) return null;
  return (
    <IntlProvider
      locale={spoken.language}
      messages={{ own: spoken.own } as never}
      timeZone={Intl.DateTimeFormat().resolvedOptions().timeZone}
    >
      <Page language={spoken.language} choose={choose} prefer={prefer} />
    </IntlProvider>
  );
}

createRoot(place).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
