import { assertEquals, assertStringIncludes } from "@std/assert";
import { runCommand } from "../support/command_process.ts";
import { tempFolder } from "../support/temp_folder.ts";

/** Refused before anything is written and before Redis is asked for. */
const WRONG: readonly (readonly [flag: string, message: string])[] = [
  ["--allocation-ratio=0", "--allocation-ratio must be above 0, got 0"],
  ["--cpus=x", 'Cannot use CPU list "x"'],
  ["--redis=http://h", 'redis:// or rediss:// at its start is required, got "http://"'],
];

Deno.test.each(WRONG)("worker %s is a usage error", async (flag, message) => {
  await using folder = await tempFolder();
  const { code, stderr } = await runCommand(
    ["run", "worker", "--run-id=r", "--redis=redis://127.0.0.1:1/0", flag],
    { cwd: folder.path },
  );
  assertEquals(code, 2, stderr);
  assertStringIncludes(stderr, message);
});
