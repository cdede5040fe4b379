import { describe, expect, test } from "vitest";
import { frameReader } from "./frames";

const WELCOME = "retry: 3000\nid: 1\n\n";
const TASK = 'event: task\ndata: {"id":"t1","patientId":"p1"}\n\n';

describe("frames", () => {
  test("are read whatever pieces they come in", () => {
    const text = `${WELCOME}${TASK}:\n\nevent: feed\ndata: {"id":"f1"}\n\n`;
    for (let size = 1; size < text.length; size += 1) {
      const read = frameReader();
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, "g")) ?? [];
      expect(pieces.flatMap(read)).toEqual([
        { kind: "task", id: "t1", patientId: "p1" },
        { kind: "feed", id: "f1", patientId: "" },
      ]);
    }
  });

  test("a comment, a greeting and what is to come later are none", () => {
    expect(frameReader()(`${WELCOME}:\n\nevent: weather\ndata: {"id":"w"}\n\n`)).toEqual([]);
  });

  test("a resync is one, and what cannot be read is taken for it", () => {
    const text = "event: resync\ndata: {}\n\nevent: task\ndata: {\n\n";
    expect(frameReader()(text)).toEqual([{ kind: "resync" }, { kind: "resync" }]);
  });
});
