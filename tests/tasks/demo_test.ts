import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { join } from "@std/path";
import { reserveRunId, writeRunIdEnv } from "../../tasks/demo/place.ts";
import { runCommand } from "../support/command_process.ts";
import { tempFolder } from "../support/temp_folder.ts";

/** What a demo refuses before it starts anything. */
const REFUSED: readonly {
  readonly what: string;
  readonly flags: readonly string[];
  readonly code: number;
  readonly says: RegExp;
}[] = [
  {
    what: "a profile that no node has room for",
    flags: ["--capacity-units=3"],
    code: 2,
    says: /^demo: a task of profile hevc1080p needs 4 vCPUs, a node has 3: --capacity-units must/,
  },
  {
    what: "a folder without videos",
    flags: ["--inputs=."],
    code: 1,
    says: /^demo: there is no \*\.mp4 in ".*"; make test videos with: deno task generate-inputs/,
  },
  {
    what: "an export below a file",
    flags: ["--inputs=videos", "--out=file/export"],
    code: 1,
    says: /^demo: Cannot make the folder ".*\/file\/export": Not a directory/,
  },
];

Deno.test.each(REFUSED)("demo refuses $what and leaves nothing", async ({ flags, code, says }) => {
  await using folder = await tempFolder();
  const cwd = folder.path;
  await Deno.writeTextFile(join(cwd, "file"), "");
  await Deno.mkdir(join(cwd, "videos"));
  await Deno.writeTextFile(join(cwd, "videos/one.mp4"), "x");
  const ended = await runCommand(["demo", ...flags], { cwd });
  assertEquals(ended.code, code, ended.stderr);
  assertMatch(ended.stderr, says);
  assertEquals(ended.stderr.trimEnd().split("\n").length, 1, ended.stderr);
  const left = await Array.fromAsync(Deno.readDir(cwd), ({ name }) => name);
  assertEquals(left.sort(), ["file", "videos"]);
});

Deno.test("reserveRunId() gives a RUN_ID to one demo only", async () => {
  await using folder = await tempFolder();
  const logs = join(folder.path, "logs");
  const [one, other] = await Promise.all([reserveRunId(logs), reserveRunId(logs)]);
  assertNotEquals(one, other);
  for (const runId of [one, other]) assert((await Deno.stat(join(logs, runId))).isDirectory);
});

Deno.test("writeRunIdEnv() keeps what else is in the file", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "run_id.env");
  await writeRunIdEnv("first", path);
  assertEquals(await Deno.readTextFile(path), "RUN_ID=first\n");
  await Deno.writeTextFile(path, "# mine\nexport RUN_ID=x # old\nREDIS_URL=redis://10.0.0.5\n");
  await writeRunIdEnv("second", path);
  assertEquals(
    await Deno.readTextFile(path),
    "RUN_ID=second\n# mine\nREDIS_URL=redis://10.0.0.5\n",
  );
});
