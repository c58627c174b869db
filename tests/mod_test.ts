import { assertEquals, assertStringIncludes } from "@std/assert";
import { ROOT } from "./support/module_graph.ts";

Deno.test("the library's example does what it says", async () => {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["test", "-q", "--doc", "-A", "mod.ts"],
    cwd: ROOT,
    env: { NO_COLOR: "1" },
  }).output();
  const decoder = new TextDecoder();
  const said = decoder.decode(stdout) + decoder.decode(stderr);
  assertEquals(code, 0, said);
  assertStringIncludes(said, "1 passed");
});
