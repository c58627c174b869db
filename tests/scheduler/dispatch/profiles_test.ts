import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BUILT_IN_PROFILES, decodeProfiles } from "../../../scheduler/dispatch/profiles.ts";
import builtIn from "../../../scheduler/dispatch/profiles.json" with { type: "json" };
import schema from "../../../scheduler/dispatch/profiles.schema.json" with { type: "json" };
import { isValid } from "../../support/json_schema.ts";

Deno.test("BUILT_IN_PROFILES are the seeds' four, with the aliases of the light one", () => {
  const rows = [...BUILT_IN_PROFILES].map(([name, { task }]) => {
    const { scale, vcodec, preset, vthreads, fthreads, cpu_units, crf } = task;
    return [name, scale, vcodec, preset, vthreads, fthreads, cpu_units, crf].join(" ");
  });
  assertEquals(rows, [
    "fast1080p 1920:1080 h264 fast 2 2 2 28",
    "medium480p 854:480 h264 medium 2 2 2 28",
    "hevc1080p 1920:1080 hevc medium 4 4 4 28",
    "light1c 854:480 h264 veryfast 1 1 1 28",
    "light480p1c 854:480 h264 veryfast 1 1 1 28",
    "light_1c 854:480 h264 veryfast 1 1 1 28",
  ]);
  assertEquals(BUILT_IN_PROFILES.get("light_1c")?.name, "light1c");
  assertEquals(isValid(builtIn, schema), true);
});

const WRONG: readonly (readonly [file: unknown, message: string])[] = [
  [[], "own.json: an object is required, got []"],
  [{}, `own.json: key "profiles": an object is required, got nothing`],
  [{ profiles: {}, more: 1 }, `unknown key "more"`],
  [
    { profiles: { a: { scael: "1:1" } } },
    `profile "a": unknown key "scael", known for kind ffmpeg`,
  ],
  [{ profiles: { a: { cpu_units: 0 } } }, `key "cpu_units": an integer from 1 to 8192 is required`],
  [{ profiles: { a: { scale: "1:1,boxblur" } } }, `key "scale"`],
  [{ profiles: { a: { input: "x" } } }, `unknown key "input"`],
  [{ profiles: { a: { kind: "shell" } } }, `key "kind": one of ffmpeg, command is required`],
  [{ profiles: { a: { kind: "command" } } }, `key "argv": a program is required`],
  [{ profiles: { a: { argv: [] } } }, `key "argv": a program is required`],
  [
    { profiles: { a: { argv: ["x"], scale: "1:1" } } },
    `unknown key "scale", known for kind command`,
  ],
  [{ profiles: { "a=b": {} } }, "a name like"],
  [{ profiles: { a: { aliases: ["b"] }, b: {} } }, `the name "b" is given twice`],
  [{ profiles: { a: { aliases: "b" } } }, `key "aliases": a list of names`],
];
for (const [file, message] of WRONG) {
  Deno.test(`decodeProfiles() refuses ${JSON.stringify(file)}`, () => {
    assertThrows(() => decodeProfiles(file, "own.json"), TypeError, message);
  });
}

/** Values near what each key of a profile may be. */
const NEAR: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  aliases: fc.oneof(fc.constantFrom([], ["x1"], ["x=1"], "x1", [1])),
  kind: fc.constantFrom("ffmpeg", "command", "shell", null),
  scale: fc.constantFrom("1:1", "-2:720", "1:", "1:1:1", 1, "123456:1"),
  vcodec: fc.constantFrom("h264", "hevc", "av1", ""),
  preset: fc.constantFrom("slow", "Slow", "a".repeat(17), ""),
  crf: fc.constantFrom(0, 63, 64, -1, 28.5, "28"),
  vthreads: fc.constantFrom(0, 1024, 1025, 1.5, -1),
  fthreads: fc.constantFrom(0, 1024, 1025, null),
  argv: fc.constantFrom(["a"], ["a", "b"], [], [1], "a"),
  env: fc.constantFrom({}, { A: "b" }, { A: 1 }, []),
  cwd: fc.constantFrom("x", 1),
  timeout_s: fc.constantFrom(0, 0.5, -1, "1"),
  cpu_units: fc.constantFrom(1, 8192, 8193, 0, 1.5),
  cpuset: fc.constantFrom("0-3,6", "a", ""),
  cpu_quota: fc.constantFrom(1, 0.5, 150),
  cpu_weight: fc.constantFrom(1, 10_000, 10_001, 1.5),
  unknown: fc.constant(1),
};

Deno.test("decodeProfiles() and the published schema accept the same files", () => {
  let accepted = 0;
  fc.assert(
    fc.property(
      fc.constantFrom("p", "p.1", "p=1", ""),
      fc.record(NEAR, { requiredKeys: [] }).map((all) => Object.entries(all)),
      fc.integer({ min: 0, max: 4 }),
      (name, entries, count) => {
        const file = { profiles: { [name]: Object.fromEntries(entries.slice(0, count)) } };
        const isDecoded = decodes(file);
        if (isDecoded) accepted++;
        assertEquals(isDecoded, isValid(file, schema), JSON.stringify(file));
      },
    ),
    { numRuns: 3000 },
  );
  assertEquals(accepted > 50, true, `only ${accepted} valid files were tried`);
});

function decodes(file: unknown): boolean {
  try {
    decodeProfiles(file, "own.json");
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}
