/** Which language the console speaks. English is always here; the others are loaded when they are chosen. */
import { createContext, type ReactNode, useContext, useEffect, useState } from "react";
import { IntlProvider } from "use-intl";
import { kept } from "@/ui/kept";
import english, { type Messages } from "./en";

declare module "use-intl" {
  interface AppConfig {
    Messages: Messages;
  }
}

export type Language = "en" | "es";
/** Each in its own words. */
export const LANGUAGES: Record<Language, string> = { en: "English", es: "Español" };

const load: Record<Language, () => Promise<Messages>> = {
  en: async () => english,
  es: async () => (await import("./es")).default,
};

const Chosen = createContext<[Language, (language: Language) => void]>(["en", () => undefined]);
export const useLanguage = () => useContext(Chosen);

function first(): Language {
  const wanted = kept.get("language") || navigator.language;
  return wanted.startsWith("es") ? "es" : "en";
}

export function LanguageProvider({ children }: { children: ReactNode }) {
  const [language, choose] = useState<Language>(first);
  const [spoken, speak] = useState<{ language: Language; messages: Messages }>();
  useEffect(() => {
    let isWanted = true;
    void load[language]().then((messages) => {
      if (!isWanted) return;
      document.documentElement.lang = language;
      speak({ language, messages });
    });
    return () => {
      isWanted = false;
    };
  }, [language]);
  const change = (next: Language) => {
    kept.set("language", next);
    choose(next);
  };
  if (!spoken) return null;
  return (
    <Chosen.Provider value={[language, change]}>
      <IntlProvider locale={spoken.language} messages={spoken.messages} timeZone="UTC">
        {children}
      </IntlProvider>
    </Chosen.Provider>
  );
}
