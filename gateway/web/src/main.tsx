/** The console: what surrounds all screens, put together. */
import "@/ui/mantine.css";
import "@/ui/tokens.css";
import { localStorageColorSchemeManager, MantineProvider } from "@mantine/core";
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { Failure } from "@/api/client";
import { meQuery } from "@/api/queries";
import { session } from "@/api/session";
import { LanguageProvider } from "@/i18n/language";
import { router } from "@/routes";
import { KeysProvider } from "@/ui/keys";
import { theme, variables } from "@/ui/theme";

const queries = new QueryClient({
  queryCache: new QueryCache({
    onError(error) {
      const isOver = error instanceof Failure && error.isSignedOut;
      if (isOver && queries.getQueryData(meQuery.queryKey)) session.end("over");
    },
  }),
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (count, error) => count < 2 && error instanceof Failure && error.isPassing,
    },
    mutations: { retry: false },
  },
});

const colors = localStorageColorSchemeManager({ key: "carehub-colors" });
const place = document.getElementById("root");
if (!place) throw new Error("index.html has no place for the console.");

createRoot(place).render(
  <StrictMode>
    <MantineProvider
      theme={theme}
      cssVariablesResolver={variables}
      colorSchemeManager={colors}
      defaultColorScheme="auto"
    >
      <LanguageProvider>
        <KeysProvider>
          <QueryClientProvider client={queries}>
            <RouterProvider router={router} />
          </QueryClientProvider>
        </KeysProvider>
      </LanguageProvider>
    </MantineProvider>
  </StrictMode>,
);
