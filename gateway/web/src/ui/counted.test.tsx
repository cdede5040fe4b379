import { render, screen } from "@testing-library/react";
import { IntlProvider } from "use-intl";
import { describe, expect, test } from "vitest";
import en from "@/i18n/en";
import { Counted } from "./counted";

const shown = (open: number, late: number) => {
  const { container } = render(
    <IntlProvider locale="en" messages={en}>
      <Counted open={open} late={late} />
    </IntlProvider>,
  );
  return container.textContent;
};

describe("a count", () => {
  test("says how many there are, and how many of them are late", () => {
    expect(shown(41, 3)).toBe("41, 3 of them late341");
    expect(screen.getByTitle("41, 3 of them late")).toBeTruthy();
    expect(shown(41, 0)).toBe("4141");
  });

  test("is silent about nothing, and ends where counting does", () => {
    expect(shown(0, 0)).toBe("");
    expect(shown(1000, 1000)).toBe("999+, 999+ of them late999+999+");
  });
});
