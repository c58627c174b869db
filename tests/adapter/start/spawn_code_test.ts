import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { SPAWN_CODE, SPAWN_LISTING } from "../../../adapter/start/spawn_code.ts";
import { tempFolder } from "../../support/temp_folder.ts";

const HAS_BINUTILS = ["as", "objcopy"].every((program) =>
  new Deno.Command("sh", { args: ["-c", `command -v ${program}`], stdout: "null" }).outputSync()
    .success
);

async function run(program: string, ...args: string[]): Promise<void> {
  const { success } = await new Deno.Command(program, { args }).output();
  assertEquals(success, true, `${program} ${args.join(" ")}`);
}

Deno.test({
  name: "SPAWN_CODE is what an assembler makes of its listing",
  ignore: !HAS_BINUTILS,
  fn: async () => {
    await using folder = await tempFolder();
    const file = (name: string): string => join(folder.path, name);
    const lines = SPAWN_LISTING.map(([, assembly]) => assembly.replace(": ", ":\n"));
    await Deno.writeTextFile(file("s"), `.intel_syntax noprefix\n${lines.join("\n")}\n`);
    await run("as", "--64", file("s"), "-o", file("o"));
    await run("objcopy", "-O", "binary", "-j", ".text", file("o"), file("bin"));
    assertEquals((await Deno.readFile(file("bin"))).toHex(), SPAWN_CODE.toHex());
  },
});
