import { join } from "@std/path";
import { assertEquals, assertThrows } from "@std/assert";
import { JobRefusedError } from "../../adapter/job.ts";
import { type JobRules, prepareJob } from "../../adapter/prepare_job.ts";
import { completeTask, type PartialTask } from "../../trace/task.ts";
import { type TempFolder, tempFolder } from "../support/temp_folder.ts";

const SPAN_ID = "00f067aa0ba902b7";

interface Place extends AsyncDisposable {
  readonly root: string;
  readonly rules: JobRules;
}

/** A worker's folder with `outputs/` in it, and programs in `bin/`. */
async function place(allowedCommands: readonly string[] = ["tool"]): Promise<Place> {
  const folder: TempFolder = await tempFolder();
  const root = await Deno.realPath(folder.path);
  await Deno.mkdir(join(root, "outputs"));
  await Deno.mkdir(join(root, "bin/folder"), { recursive: true });
  for (const [name, mode] of [["tool", 0o755], ["ffmpeg", 0o755], ["data", 0o644]] as const) {
    await Deno.writeTextFile(join(root, "bin", name), "#!/bin/sh\n", { mode });
  }
  const rules = {
    outputsDir: join(root, "outputs"),
    root,
    searchPath: `/nowhere:${join(root, "bin")}`,
    allowedCommands,
    allowedVariables: ["A=B", "OMP_*", "LANG"],
  };
  return { root, rules, [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose]() };
}

function prepare(fields: PartialTask, rules: JobRules): ReturnType<typeof prepareJob> {
  return prepareJob(completeTask(fields, "test", "t"), { rules, spanId: SPAN_ID });
}

Deno.test.each([
  ["outputs/x.mp4", "outputs/x.mp4"],
  ["x.mp4", "outputs/x.mp4"],
  ["sub/x.mp4", "outputs/sub/x.mp4"],
  ["./outputs/../outputs/x.mp4", "outputs/x.mp4"],
])("prepareJob() puts output %s at %s", async (output, path) => {
  await using here = await place();
  const job = prepare({ input: "a.mp4", output }, here.rules);
  assertEquals(job.outputs[0]?.path, join(here.root, path));
});

Deno.test("prepareJob() takes an absolute output inside the folder", async () => {
  await using here = await place();
  const output = join(here.rules.outputsDir, "x.mp4");
  assertEquals(prepare({ input: "a.mp4", output }, here.rules).outputs[0]?.path, output);
});

Deno.test.each([["../x.mp4"], ["outputs/../../x.mp4"], ["/etc/x.mp4"], ["."], [
  "link/x.mp4",
]])(
  "prepareJob() refuses output %s",
  async (output) => {
    await using here = await place();
    await Deno.symlink("/tmp", join(here.rules.outputsDir, "link"));
    assertThrows(
      () => prepare({ input: "a.mp4", output }, here.rules),
      JobRefusedError,
      "must be inside the outputs folder",
    );
  },
);

Deno.test("prepareJob() follows an outputs folder that is a link itself", async () => {
  await using here = await place();
  const link = join(here.root, "linked");
  await Deno.symlink(here.rules.outputsDir, link);
  const job = prepare({ input: "a.mp4", output: "x.mp4" }, { ...here.rules, outputsDir: link });
  assertEquals(job.outputs[0]?.path, join(here.rules.outputsDir, "x.mp4"));
});

Deno.test("prepareJob() resolves inputs in the worker's folder", async () => {
  await using here = await place();
  const job = prepare({ input: "-a.mp4", output: "x.mp4" }, here.rules);
  assertEquals(job.inputPath, join(here.root, "-a.mp4"));
  assertEquals(job.argv[job.argv.indexOf("-i") + 1], `file:${here.root}/-a.mp4`);
});

Deno.test("prepareJob() runs a command that is allowed, in the outputs folder", async () => {
  await using here = await place();
  const job = prepare({ argv: ["tool", "-x", "a b"], outputs: ["o.txt"] }, here.rules);
  assertEquals(job.program, join(here.root, "bin/tool"));
  assertEquals(job.argv, ["tool", "-x", "a b"]);
  assertEquals(job.cwd, here.rules.outputsDir);
  const path = join(here.rules.outputsDir, "o.txt");
  assertEquals(job.outputs, [{ path, writtenTo: path }]);
});

Deno.test("prepareJob() passes on the variables that the node allows", async () => {
  await using here = await place();
  const env = { OMP_NUM_THREADS: "2", LANG: "C" };
  assertEquals(prepare({ argv: ["tool"], env }, here.rules).env, env);
});

Deno.test("prepareJob() looks for programs in absolute folders only", async () => {
  await using here = await place();
  const searchPath = `.:bin:${here.rules.outputsDir}/../bin`;
  const rules = { ...here.rules, searchPath };
  assertEquals(prepare({ argv: ["tool"] }, rules).program, join(here.root, "bin/tool"));
  assertThrows(
    () => prepare({ argv: ["tool"] }, { ...rules, searchPath: ".:bin" }),
    JobRefusedError,
    "is not in PATH",
  );
});

Deno.test.each<[string, PartialTask, string]>([
  ["a command that is not allowed", { argv: ["sh"] }, 'command "sh" is not allowed'],
  ["the path of an allowed name", { argv: ["./tool"] }, "is not allowed"],
  ["a program that does not exist", { argv: ["none"] }, 'program "none" is not in'],
  ["a folder", { argv: ["folder"] }, 'program "folder" is not in'],
  ["a file that is not executable", { argv: ["data"] }, 'program "data" is not in'],
  ["a NUL in an argument", { argv: ["tool", "a\0b"] }, "a NUL character"],
  [
    "a variable that has no valid name",
    { argv: ["tool"], env: { "A=B": "c" } },
    "name of a variable",
  ],
  ["the loader's variable", { argv: ["tool"], env: { LD_PRELOAD: "/x" } }, "is not allowed"],
  ["a search path", { argv: ["tool"], env: { PATH: "/tmp" } }, '"PATH" is not allowed on this'],
  ["a name that only begins alike", { argv: ["tool"], env: { LANGUAGE: "x" } }, "LANG; --allow"],
  ["a folder outside", { argv: ["tool"], cwd: ".." }, 'cwd ".." must be inside the outputs'],
  ["an output outside", { argv: ["tool"], outputs: ["../o"] }, "must be inside"],
])("prepareJob() refuses %s", async (_, fields, message) => {
  await using here = await place(["tool", "none", "folder", "data"]);
  assertThrows(() => prepare(fields, here.rules), JobRefusedError, message);
});

Deno.test.each([["folder", "is a directory"], ["data", "is not executable"], [
  "no",
  "does not exist",
]])(
  "prepareJob() says of the path of %s that it %s",
  async (name, message) => {
    await using here = await place();
    const path = join(here.root, "bin", name);
    const rules = { ...here.rules, allowedCommands: [path] };
    assertThrows(() => prepare({ argv: [path] }, rules), JobRefusedError, message);
  },
);
