import { basename, fromFileUrl } from "@std/path";
import { assertEquals, assertMatch } from "@std/assert";
import { CODE_ARCHITECTURE } from "../../../adapter/start/machine_code.ts";
import { testCgroup, WRITABLE_HIERARCHIES } from "../../support/test_cgroup.ts";

const UNIFIED = WRITABLE_HIERARCHIES.find(({ version }) => version === 2);

// systemd's RestrictNamespaces= and the filters of containers refuse clone3(2): they cannot see its flags.
Deno.test({
  name: "CloneStarter has a process in its v2 group also where clone3 is filtered away",
  ignore: UNIFIED === undefined || Deno.build.target !== CODE_ARCHITECTURE,
  fn: async () => {
    if (UNIFIED === undefined) return;
    await using group = testCgroup(UNIFIED);
    const script = fromFileUrl(new URL("../../support/spawn_without_clone3.ts", import.meta.url));
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-q", "-A", "--no-check", script, group.directory],
      stdin: "null",
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const own = new RegExp(`^0::.*/${basename(group.directory)}$`, "m");
    assertMatch(new TextDecoder().decode(stdout), own);
  },
});
