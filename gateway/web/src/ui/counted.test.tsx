import { MantineProvider } from "@mantine/core";
import { render, screen } from "@testing-library/react";
import { IntlProvider } from "use-intl";
import { describe, expect, test } from "vitest";
import en from "@/i18n/en";
import { Counted } from "./counted";

const shown = (open: number, late: number, isTight = false) => {
  const { container } = render(
    <MantineProvider env="test">
      <IntlProvider locale="en" messages={en}>
        <main>
          <Counted open={open} late={late} isTight={isTight} />
        </main>
      </IntlProvider>
    </MantineProvider>,
  );
  return container.querySelector("main")?.textContent;
};

describe("a count", () => {
  test("says how many there are, and how many of them are late", () => {
    expect(shown(41, 3)).toBe("41, 3 of them late341");
    expect(screen.getByTitle("41, 3 of them late")).toBeTruthy();
    expect(shown(41, 0)).toBe("4141");
  });

  test("shows the late ones of many alone where there is little room, and says both", () => {
    expect(shown(99, 99, true)).toBe("99, 99 of them late9999");
    expect(shown(166, 9, true)).toBe("166, 9 of them late9166");
    expect(shown(166, 49, true)).toBe("166, 49 of them late49");
    expect(shown(292, 100, true)).toBe("292, 100 of them late100");
    expect(shown(292, 0, true)).toBe("292292");
  });

  test("is silent about nothing, and ends where counting does", () => {
    expect(shown(0, 0)).toBe("");
    expect(shown(1000, 1000)).toBe("999+, 999+ of them late999+999+");
  });
});
