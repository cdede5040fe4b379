/** Mantine, themed once: what a button, a field and a menu look like everywhere. */
import { type CSSVariablesResolver, createTheme, type MantineColorsTuple } from "@mantine/core";

const action: MantineColorsTuple = [
  "#EEF3FB",
  "#DCE6F6",
  "#B9CDED",
  "#93B1E2",
  "#6E95D6",
  "#4A7ACB",
  "#2F69BC",
  "#1B5AAE",
  "#144683",
  "#0E3363",
];

/** Grounds and borders of Mantine's parts in the dark theme; the rest is in tokens.css. */
const dark: MantineColorsTuple = [
  "#E9ECF1",
  "#C0C8D4",
  "#A3ADBC",
  "#838D9D",
  "#838D9D",
  "#343C49",
  "#1B2029",
  "#1B2029",
  "#14181F",
  "#0E1116",
];

/** Nothing is written smaller. */
const LABEL = "12px";

export const theme = createTheme({
  colors: { action, dark },
  primaryColor: "action",
  primaryShade: { light: 7, dark: 7 },
  defaultRadius: 6,
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, sans-serif',
  fontSizes: { xs: "12px", sm: "13px", md: "14px", lg: "16px", xl: "20px" },
  spacing: { xs: "4px", sm: "8px", md: "12px", lg: "16px", xl: "24px", "2xl": "32px" },
  radius: { xs: "4px", sm: "6px", md: "8px", lg: "12px" },
  headings: { fontWeight: "600" },
  shadows: { md: "var(--shadow)" },
  respectReducedMotion: true,
  cursorType: "pointer",
  components: {
    Button: {
      styles: { label: { fontWeight: 500 } },
      vars: (_: unknown, { variant }: { variant?: string }) => ({
        root: !variant || variant === "filled" ? { "--button-color": "var(--on-action)" } : {},
      }),
    },
    Modal: { defaultProps: { centered: true } },
    InputWrapper: {
      vars: () => ({
        description: { "--input-description-size": LABEL },
        error: { "--input-error-size": LABEL },
      }),
    },
  },
});

/** Mantine's own variables, pointed at our tokens, so that both themes come from one table. */
export const variables: CSSVariablesResolver = () => {
  const ours = {
    "--mantine-color-body": "var(--surface)",
    "--mantine-color-text": "var(--ink)",
    "--mantine-color-dimmed": "var(--ink-3)",
    "--mantine-color-placeholder": "var(--ink-3)",
    "--mantine-color-anchor": "var(--action)",
    "--mantine-color-error": "var(--late)",
    "--mantine-color-gray-4": "var(--control)", // the border of fields
    "--mantine-color-default": "var(--surface)",
    "--mantine-color-default-hover": "var(--sunken)",
    "--mantine-color-default-color": "var(--ink)",
    "--mantine-color-default-border": "var(--control)",
    "--mantine-color-disabled": "var(--sunken)",
    "--mantine-color-disabled-color": "var(--ink-3)",
    "--mantine-color-disabled-border": "var(--line)",
    "--mantine-color-action-filled": "var(--action)",
    "--mantine-color-action-filled-hover": "var(--action-2)",
    "--mantine-color-action-light": "var(--action-bg)",
    "--mantine-color-action-outline": "var(--action)",
    "--mantine-primary-color-filled": "var(--action)",
    "--mantine-primary-color-contrast": "var(--on-action)",
    "--mantine-primary-color-filled-hover": "var(--action-2)",
  };
  return { variables: {}, light: ours, dark: ours };
};
