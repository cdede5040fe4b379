import { MantineProvider } from "@mantine/core";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { IntlProvider } from "use-intl";
import { expect, test, vi } from "vitest";
import { Failure, type Patient } from "@/api/client";
import { meQuery } from "@/api/queries";
import en from "@/i18n/en";
import { HiddenPatient } from "./hidden";

vi.mock("@tanstack/react-router", () => ({ Link: "a" }));

const PAT = "01900000-0000-7000-8000-000000000001";
type Asked = { data: Patient | undefined; error: unknown; refetch: () => unknown };

function door(query: Partial<Asked>, permissions = ["glass.break"]) {
  const queries = new QueryClient({
    defaultOptions: { queries: { staleTime: Number.POSITIVE_INFINITY } },
  });
  queries.setQueryData(meQuery.queryKey, {
    staffMember: { id: "me" },
    permissions,
    facilityIds: [],
  } as never);
  queries.setQueryData(["emergencies", "mine", PAT], null);
  queries.setQueryData(["facilities"], []);
  const asked: Asked = { data: undefined, error: undefined, refetch: () => undefined, ...query };
  const shown = (now: Asked) => (
    <MantineProvider env="test">
      <IntlProvider locale="en" messages={en} timeZone="UTC">
        <QueryClientProvider client={queries}>
          <HiddenPatient patientId={PAT} query={now} title="">
            {() => "the record"}
          </HiddenPatient>
        </QueryClientProvider>
      </IntlProvider>
    </MantineProvider>
  );
  const { rerender } = render(shown(asked));
  return (next: Partial<Asked>) => rerender(shown({ ...asked, ...next }));
}

const offer = () => screen.queryByRole("button", { name: "open for 60 minutes" });

test("what is typed at the door stays while the patient is asked for again", async () => {
  const become = door({ error: new Failure(404) });
  const person = userEvent.setup();
  const button = offer();
  if (button) await person.click(button);
  await person.type(await screen.findByLabelText(/What happened/), "Found unconscious");
  become({ error: undefined });
  become({ error: new Failure(404) });
  expect(screen.getByDisplayValue("Found unconscious")).toBeTruthy();
});

test("the door is offered only to whom it opens, and an error is no door", () => {
  door({ error: new Failure(404) }, ["patients.read"]);
  expect(screen.getByText("We can’t show this page")).toBeTruthy();
  expect(offer()).toBeNull();
  door({ error: new Failure(503) });
  expect(offer()).toBeNull();
});
