/** What a task's own names and numbers do: they are its own end at most, and never its node's. */

import { join } from "@std/path";
import { assert, assertEquals, assertGreater, assertLess, assertMatch } from "@std/assert";
import { AdapterClient } from "../../adapter/client.ts";
import { completeTask, type PartialTask } from "../../trace/task.ts";
import { helloOf, startAdapter } from "../support/adapter_process.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";

/** A name of `bytes` that ends in .mp4, with characters of several bytes in it. */
function longName(bytes: number): string {
  const odd = bytes % 2 === 0 ? "" : "x";
  return "é".repeat((bytes - 4 - odd.length) / 2) + odd + ".mp4";
}

Deno.test("an output may have the longest name that the file system takes", async () => {
  await using adapter = await startAdapter({ allowed_commands: [] });
  const make = ["-f", "lavfi", "-i", "testsrc=size=64x64:rate=5:duration=0.2", "-y"];
  const input = join(adapter.root, "in.mp4");
  await new Deno.Command("ffmpeg", { args: ["-v", "error", ...make, input] }).output();
  for (const bytes of [234, 254, 255]) {
    const output = longName(bytes);
    assertEquals(new TextEncoder().encode(output).length, bytes);
    const outcome = await adapter.run({ input, output, scale: "16:16" });
    assert(outcome.kind === "exited" && outcome.isDone, Deno.inspect(outcome));
  }
  const outcome = await adapter.run({ input, output: longName(256), scale: "16:16" });
  assert(outcome.kind === "refused", Deno.inspect(outcome));
  assertMatch(outcome.reason, /File name too long/);
});

Deno.test("no path of a task ends its adapter: each attempt ends with its reason", async () => {
  await using adapter = await startAdapter();
  const outputs = join(adapter.root, "outputs");
  await Deno.symlink("loop.mp4", join(adapter.root, "loop.mp4"));
  await Deno.symlink("loop", join(outputs, "loop"));
  await Deno.mkdir(join(outputs, "folder.mp4"));
  await Deno.writeTextFile(join(outputs, "file"), "");
  const long = "x".repeat(300);
  const tasks: readonly [fields: PartialTask, reason: RegExp][] = [
    [{ input: "loop.mp4", output: "o.mp4" }, /Too many levels|exit code/],
    [{ input: long, output: "o.mp4" }, /exit code/],
    [{ input: "i.mp4", output: "loop/o.mp4" }, /Too many levels/],
    [{ input: "i.mp4", output: `${long}/o.mp4` }, /File name too long/],
    [{ input: "i.mp4", output: "file/o.mp4" }, /Not a directory/],
    [{ input: "i.mp4", output: "folder.mp4" }, /a folder of this name/],
    [{ argv: ["true"], cwd: "loop" }, /Too many levels/],
    [{ argv: ["true"], cwd: "absent" }, /ENOENT/],
    [{ argv: ["true"], outputs: [`${long}/o`] }, /File name too long/],
    [{ argv: ["true"], outputs: [long] }, /File name too long/],
    [{ argv: ["true"], input: long, outputs: ["none"] }, /did not leave its output/],
  ];
  for (const [fields, expected] of tasks) {
    const outcome = await adapter.run(fields);
    assert(outcome.kind !== "exited" || !outcome.isDone, Deno.inspect(fields));
    const reason = outcome.kind === "exited"
      ? outcome.event.reason ?? `exit code ${outcome.event.status}`
      : outcome.reason;
    assertMatch(reason, expected);
  }
  const outcome = await adapter.run({ argv: ["true"] });
  assert(outcome.kind === "exited" && outcome.isDone);
});

Deno.test("a sweep that cannot remove a file says so, and the adapter starts all the same", async () => {
  await using folder = await tempFolder();
  const root = await Deno.realPath(folder.path);
  const journals = join(root, "run/adapters");
  await Deno.mkdir(journals, { recursive: true });
  await Deno.symlink("loop", join(root, "loop"));
  const parts = [join(root, "x".repeat(300)), join(root, "loop/x"), join(root, "left.part")];
  await Deno.writeTextFile(join(root, "left.part"), "half");
  const line = {
    state: "launching",
    span_id: "a",
    pid: null,
    start_ticks: null,
    part_files: parts,
  };
  // Of a boot that is over, on a machine that is not this one.
  const journal = join(journals, "1-2-3.4.0000000a.jsonl");
  await Deno.writeTextFile(journal, `${JSON.stringify(line)}\nnot json\n`);
  await using adapter = await startAdapter({ root });
  const { swept, notes } = adapter.client.ready;
  assertEquals(swept, 1);
  const told = notes.filter((note) => note.startsWith("Cannot clear away"));
  assertEquals(told.map((note) => /\(os error (\d+)\)/.exec(note)?.[1]), ["36", "40"]);
  const left = [...Deno.readDirSync(journals)].map(({ name }) => name);
  assertEquals(left.filter((name) => name.startsWith("1-")), []);
  assertEquals([...Deno.readDirSync(root)].some(({ name }) => name === "left.part"), false);
});

Deno.test("the launch after which an adapter cannot continue counts as the cause of its death", async () => {
  const requests = new TransformStream<Uint8Array<ArrayBuffer>, Uint8Array<ArrayBuffer>>();
  const ready = {
    type: "ready",
    protocol: 2,
    pid: 1,
    launcher: "clone",
    accounting: "none",
    cpu_control: "none",
    notes: [],
    swept: 0,
  };
  const failed = { type: "failed", message: "it says why", launch_id: "2" };
  const go = Promise.withResolvers<void>();
  const replies = new ReadableStream<Uint8Array<ArrayBuffer>>({
    async start(controller): Promise<void> {
      const send = (message: object): void =>
        controller.enqueue(new TextEncoder().encode(`${JSON.stringify(message)}\n`));
      send(ready);
      await go.promise;
      send(failed);
      controller.close();
    },
  });
  requests.readable.pipeTo(new WritableStream());
  const hello = helloOf({ root: "/nowhere" });
  const client = await AdapterClient.open({ requests: requests.writable, replies }, hello);
  const launches = [1, 2, 3].map((number) =>
    client.launch(completeTask({ argv: ["true"] }, "test", `t${number}`))
  );
  go.resolve();
  const kinds = (await Promise.all(launches.map(({ outcome }) => outcome))).map(({ kind }) => kind);
  assertEquals(kinds, ["lost", "crashed", "lost"]);
  await client.close();
});

Deno.test("a task that no message can hold is refused, and its adapter lives", async () => {
  await using adapter = await startAdapter();
  const outcome = await adapter.run({ argv: ["true", "x".repeat(16 * 1024 * 1024)] });
  assert(outcome.kind === "refused", Deno.inspect(outcome));
  assertMatch(outcome.reason, /larger than a message/);
  assertEquals((await adapter.exitOf({ argv: ["true"] })).status, 0);
});

Deno.test("a time limit of months does not end a task at once", async () => {
  await using adapter = await startAdapter();
  const outcome = await adapter.run({ argv: ["sleep", "0.05"], timeout_s: 2 ** 31 / 1000 + 1 });
  assert(outcome.kind === "exited" && outcome.isDone, Deno.inspect(outcome));
});

Deno.test("a task's log is kept within its limit, while it runs and after, with head and tail", async () => {
  const limitBytes = 256 * 1024;
  await using adapter = await startAdapter({ task_log_max_bytes: limitBytes });
  const script = "echo first; head -c 20000000 /dev/zero | tr '\\0' x; echo; echo last; " +
    "until [ -e go ]; do sleep 0.01; done";
  const launch = adapter.client.launch(adapter.task({ argv: ["sh", "-c", script] }));
  const log = join(adapter.runDir.taskLogs, "t1.1.log");
  await launch.started;
  await waitFor({
    what: "the disk to get back what the log has too much",
    read: () => Deno.stat(log).then(({ size, blocks }) => ({ size, held: (blocks ?? 0) * 512 })),
    until: ({ size, held }) => size > 20_000_000 && held < 2 * limitBytes,
  });
  await Deno.writeTextFile(join(adapter.root, "outputs/go"), "");
  const outcome = await launch.outcome;
  assert(outcome.kind === "exited" && outcome.isDone, Deno.inspect(outcome));
  const text = await Deno.readTextFile(log);
  assertLess(text.length, limitBytes + 100);
  assertMatch(text, /^first\nx+\n\[tracekit: (\d+) bytes are not kept\]\nx+\nlast\n$/);
  const printed = "first\n".length + 20_000_000 + "\nlast\n".length;
  const mark = /\n\[tracekit: \d+ bytes are not kept\]\n/.exec(text)?.[0] ?? "";
  assertEquals(outcome.event.log_lost_bytes, printed - (text.length - mark.length));
  assertGreater(outcome.event.log_lost_bytes ?? 0, 19_000_000);
  assertEquals((await adapter.exitOf({ argv: ["true"] })).log_lost_bytes, 0);
});
