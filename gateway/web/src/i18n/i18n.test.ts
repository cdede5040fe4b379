import { createTranslator } from "use-intl/core";
import { expect, test } from "vitest";
import en from "./en";
import es from "./es";

type Tree = { [key: string]: string | Tree };

function flat(tree: Tree, path = ""): Map<string, string> {
  return new Map(
    Object.entries(tree).flatMap(([key, value]) => {
      const here = path ? `${path}.${key}` : key;
      return typeof value === "string" ? [[here, value] as const] : [...flat(value, here)];
    }),
  );
}

const english = flat(en as unknown as Tree);
const spanish = flat(es as unknown as Tree);

/** What stands in the outermost braces of a text, one after the other. */
function braced(text: string): string[] {
  const found: string[] = [];
  let depth = 0;
  for (const [at, sign] of [...text].entries()) {
    if (sign === "{" && depth++ === 0) found.push("");
    else if (sign === "}") depth--;
    if (depth > 0 && !(depth === 1 && text[at] === "{")) found[found.length - 1] += sign;
  }
  return found;
}

/** The names that a message is told, also in the branches of a choice: `{name}`, `{count, plural, one {…} other {…}}`. */
function named(message: string): string[] {
  return braced(message).flatMap((inner) => {
    const [, name = "", branches] =
      /^(\w+)(?:, (?:select|plural|selectordinal),(.*))?/s.exec(inner) ?? [];
    return [name, ...(branches ? braced(branches).flatMap(named) : [])];
  });
}

const slots = (message: string) => [...new Set(named(message))].sort();

test("slots are found in choices, and words in them are none", () => {
  expect(slots("{a} of {b, number}")).toEqual(["a", "b"]);
  expect(slots("{n, plural, one {# {x}} other {many}} {how, select, y {met} other {}}")).toEqual([
    "how",
    "n",
    "x",
  ]);
});

test("every sentence is there in both languages, with the same slots", () => {
  expect([...spanish.keys()].sort()).toEqual([...english.keys()].sort());
  for (const [key, message] of english) {
    expect([key, slots(spanish.get(key) ?? "")]).toEqual([key, slots(message)]);
  }
});

test.each([
  ["en", english],
  ["es", spanish],
] as const)("every sentence of %s can be said", (locale, all) => {
  const errors: string[] = [];
  const messages = (locale === "en" ? en : es) as unknown as Record<string, never>;
  const t = createTranslator({ locale, messages, onError: ({ message }) => errors.push(message) });
  for (const [key, message] of all) {
    const values = Object.fromEntries(slots(message).map((slot) => [slot, 3]));
    const tags = Object.fromEntries(
      [...message.matchAll(/<(\w+)>/g)].map(([, tag]) => [tag, String]),
    );
    (t.markup as unknown as (key: string, values: object) => string)(key, { ...values, ...tags });
  }
  expect(errors).toEqual([]);
});
