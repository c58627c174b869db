import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { CALL_LISTING, SPAWN_LISTING } from "../../../adapter/start/machine_code.ts";
import { STAMPING_LISTING } from "../../support/stamping_program.ts";
import { tempFolder } from "../../support/temp_folder.ts";
import { has } from "../../support/left_out.ts";

const HAS_BINUTILS = has({
  "as and objcopy of binutils": ["as", "objcopy"].every((program) =>
    new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" }).outputSync()
      .success
  ),
});

async function run(program: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(program, { args }).output();
  assertEquals(success, true, `${program} ${args.join(" ")}`);
}

for (
  const [name, listing] of Object.entries({ SPAWN_LISTING, CALL_LISTING, STAMPING_LISTING })
) {
  Deno.test({
    name: `${name} has the bytes that an assembler makes of it`,
    ignore: !HAS_BINUTILS,
    fn: async () => {
      await using folder = await tempFolder();
      const file = (name: string): string => join(folder.path, name);
      const lines = listing.map(([, assembly]) => assembly.replace(": ", ":\n"));
      await Deno.writeTextFile(file("s"), `.intel_syntax noprefix\n${lines.join("\n")}\n`);
      await run("as", "--64", file("s"), "-o", file("o"));
      await run("objcopy", "-O", "binary", "-j", ".text", file("o"), file("bin"));
      const written = listing.map(([bytes]) => bytes.replaceAll(" ", "")).join("");
      assertEquals(written, (await Deno.readFile(file("bin"))).toHex());
    },
  });
}
