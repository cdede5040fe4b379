import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const SOURCE = join(import.meta.dirname, "..");
const ALLOWED = new Set(["tokens.css", "theme.ts"]);

test("no color stands outside the tokens and the theme", () => {
  const files = readdirSync(SOURCE, { recursive: true, withFileTypes: true }).filter(
    (entry) => entry.isFile() && /\.(tsx?|css)$/.test(entry.name) && !ALLOWED.has(entry.name),
  );
  const found = files.filter(({ parentPath, name }) =>
    /#[0-9a-f]{6}\b|#[0-9a-f]{3}\b(?!\w)|\brgba?\(/i.test(
      readFileSync(join(parentPath, name), "utf8"),
    ),
  );
  expect(found.map(({ name }) => name)).toEqual([]);
});

function luminance(hex: string): number {
  const channels = [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const [r = 0, g = 0, b = 0] = channels.map((c) =>
    c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4,
  );
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: string, b: string): number {
  const [low = 0, high = 0] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const css = readFileSync(join(import.meta.dirname, "tokens.css"), "utf8");
const [light = "", night = ""] = css.split("[data-mantine-color-scheme");
const tokensOf = (part: string) =>
  Object.fromEntries(
    [...part.matchAll(/--([\w-]+): (#[0-9a-f]{6})/g)].map(([, name, hex]) => [name, hex]),
  );

test.each([
  ["light", tokensOf(light)],
  ["dark", tokensOf(night)],
])("in %s, text has 4.5 and controls 3 against their grounds", (_, token) => {
  const pairs: [string, string, number][] = [
    ...["ink", "ink-2", "ink-3"].flatMap((ink) =>
      ["surface", "canvas", "sunken"].map((ground): [string, string, number] => [ink, ground, 4.5]),
    ),
    ["action", "surface", 4.5],
    ["action-2", "action-bg", 4.5],
    ["ink-2", "action-bg", 4.5],
    ["on-action", "action", 4.5],
    ["soon", "soon-bg", 4.5],
    ["late", "late-bg", 4.5],
    ["late", "canvas", 4.5],
    ["on-esc", "esc", 4.5],
    ["ok", "surface", 4.5],
    ["on-toast", "toast", 4.5],
    ["control", "surface", 3],
  ];
  const weak = pairs.filter(([a, b, least]) => contrast(token[a] ?? "", token[b] ?? "") < least);
  expect(weak).toEqual([]);
});
