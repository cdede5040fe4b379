import { fireEvent, render, screen } from "@testing-library/react";
import { useEffect, useState } from "react";
import { flushSync } from "react-dom";
import { describe, expect, test, vi } from "vitest";
import { KeysProvider, useKeys } from "./keys";

/** As libraries do it: Escape closes before the page hears of it, and the dialog is gone at once. */
function Dialog({ close }: { close: () => void }) {
  useEffect(() => {
    const onKey = ({ key }: KeyboardEvent) => key === "Escape" && flushSync(close);
    window.addEventListener("keydown", onKey, { capture: true });
    return () => window.removeEventListener("keydown", onKey, { capture: true });
  }, [close]);
  return <div role="dialog" />;
}

function Page({ leave }: { leave: () => void }) {
  const [isOpen, open] = useState(false);
  useKeys({ Escape: leave });
  return (
    <>
      <button type="button" onClick={() => open(true)}>
        Ask
      </button>
      {isOpen && <Dialog close={() => open(false)} />}
    </>
  );
}

describe("a key of a page", () => {
  test("that closes a dialog does not leave the page; the next one does", () => {
    const leave = vi.fn();
    render(
      <KeysProvider>
        <Page leave={leave} />
      </KeysProvider>,
    );
    fireEvent.click(screen.getByText("Ask"));
    fireEvent.keyDown(document.body, { key: "Escape" });
    expect(screen.queryByRole("dialog")).toBeNull();
    expect(leave).not.toHaveBeenCalled();
    fireEvent.keyDown(document.body, { key: "Escape" });
    expect(leave).toHaveBeenCalledOnce();
  });
});
