import { MantineProvider } from "@mantine/core";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";
import { Dialog } from "./dialog";

function Page() {
  const [isOpen, open] = useState(false);
  return (
    <MantineProvider env="test">
      <button type="button" onClick={() => open(true)}>
        Add
      </button>
      {isOpen && (
        <Dialog title="Add a person" close={() => open(false)} closeLabel="Close">
          <input aria-label="Name" data-autofocus />
        </Dialog>
      )}
    </MantineProvider>
  );
}

test("when a dialog closes, the focus is where it was opened from", async () => {
  render(<Page />);
  await userEvent.click(screen.getByRole("button", { name: "Add" }));
  await waitFor(() => expect(document.activeElement).toBe(screen.getByLabelText("Name")));
  await userEvent.keyboard("{Escape}");
  await waitFor(() =>
    expect(document.activeElement).toBe(screen.getByRole("button", { name: "Add" })),
  );
});
