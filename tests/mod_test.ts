import { assertEquals, assertStringIncludes } from "@std/assert";
import config from "../deno.json" with { type: "json" };
import { ROOT } from "./support/module_graph.ts";

/** The public modules. */
const ENTRIES = Object.values(config.exports);

Deno.test("the example of each public module does what it says", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-q", "--doc", "-A", ...ENTRIES],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  const said = decoder.decode(stdout) + decoder.decode(stderr);
  assertEquals(code, 0, said);
  assertStringIncludes(said, `${ENTRIES.length - 1} passed`);
});
