import { act, fireEvent, render, screen } from "@testing-library/react";
import { IntlProvider } from "use-intl";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import en from "@/i18n/en";
import { type Later, type Said, ToastProvider, useToasts } from "./toasts";

let toasts: ReturnType<typeof useToasts>;

function Hand() {
  toasts = useToasts();
  return null;
}

/** A change, and what became of it: its answer comes when the test gives it. */
function change(key: string) {
  const did: string[] = [];
  let resolve: () => void = () => undefined;
  let reject: (error: Error) => void = () => undefined;
  const answer = new Promise<void>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  const later: Later = {
    key,
    waiting: `${key} waits`,
    saved: `${key} saved`,
    send: () => {
      did.push("sent");
      return answer;
    },
    undone: () => did.push("undone"),
    failed: () => did.push("failed"),
  };
  return { later, did, resolve, reject };
}

const begin = ({ later }: { later: Later }) => act(() => toasts.later(later));
const say = (said: Said) => act(() => toasts.say(said));
const pass = (ms: number) => act(() => vi.advanceTimersByTimeAsync(ms));
const onScreen = () => document.querySelector("[aria-live]")?.textContent ?? "";

beforeEach(() => {
  vi.useFakeTimers();
  render(
    <IntlProvider locale="en" messages={en}>
      <ToastProvider>
        <Hand />
      </ToastProvider>
    </IntlProvider>,
  );
});
afterEach(() => {
  vi.useRealTimers();
});

test("what is done next sends the one before, whose answer takes neither time nor the way back from it", async () => {
  const [first, second] = [change("First"), change("Second")];
  begin(first);
  begin(second);
  expect([first.did, second.did]).toEqual([["sent"], []]);
  await pass(5000);
  await act(async () => first.resolve());
  expect(onScreen()).toContain("Second waits");
  expect([toasts.isWaiting("First"), toasts.isWaiting("Second")]).toEqual([false, true]);
  await pass(5000);
  expect(second.did).toEqual(["sent"]);
  await act(async () => second.resolve());
  expect(onScreen()).toContain("Second saved");
  await pass(10_000);
  expect(onScreen()).toBe("");
});

test("undo takes back what is on the screen, and nothing that came before it", async () => {
  const outcome = change("Outcome");
  const undo = vi.fn();
  begin(outcome);
  say({ text: "Yours now", undo });
  expect(outcome.did).toEqual(["sent"]);
  await act(async () => outcome.resolve());
  expect(onScreen()).toContain("Yours now");
  fireEvent.keyDown(document.body, { key: "z" });
  expect(undo).toHaveBeenCalledOnce();
  expect(outcome.did).toEqual(["sent"]);
  expect(onScreen()).toBe("");
});

test("what is undone is never sent", async () => {
  const outcome = change("Outcome");
  begin(outcome);
  act(() => screen.getByRole("button", { name: /Undo/ }).click());
  await pass(20_000);
  expect(outcome.did).toEqual(["undone"]);
  expect(toasts.isWaiting("Outcome")).toBe(false);
});

test("settling sends what waits, and says whether everything was saved", async () => {
  const [saved, refused] = [change("Saved"), change("Refused")];
  begin(saved);
  let settled = toasts.settle();
  await act(async () => saved.resolve());
  expect(await settled).toBe(true);
  begin(refused);
  settled = toasts.settle();
  await act(async () => refused.reject(new Error("taken")));
  expect(await settled).toBe(false);
  expect(refused.did).toEqual(["sent", "failed"]);
  expect(await toasts.settle()).toBe(true);
});
