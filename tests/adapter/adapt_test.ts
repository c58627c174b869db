/** `adapt -- COMMAND`, as a caller sees it. */

import { join } from "@std/path";
import { assert, assertEquals, assertGreater, assertMatch } from "@std/assert";
import { readProcessStat } from "../../trace/linux/processes.ts";
import { RunDir } from "../../trace/run_dir.ts";
import type { InvocationEvent } from "../../trace/records.ts";
import { readEvents } from "../support/adapter_process.ts";
import { cgroupsOfAdapter } from "../support/cgroup_folders.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";
import { boundCommand } from "../support/bound_command.ts";

const ADAPT = new URL("../../tasks/adapt.ts", import.meta.url).pathname;

interface Call {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
  /** True when it says what the command took. Default: false. */
  readonly isTold?: boolean;
}

/** The command alone has stderr, unless `isTold`. */
function adapt(args: readonly string[], { cwd, env, isTold = false }: Call): Deno.ChildProcess {
  return boundCommand(Deno.execPath(), {
    args: [
      ...["run", "-A", "-q", "--no-check", ADAPT],
      ...(isTold ? [] : ["--quiet"]),
      ...args,
    ],
    cwd,
    env: { RUN_ID: "r", NODE_ID: "n", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

interface Ended {
  readonly code: number;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function endOf(child: Deno.ChildProcess, stdin = ""): Promise<Ended> {
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(stdin));
  await writer.close();
  const { code, signal, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
  return { code, signal, stdout: text(stdout), stderr: text(stderr) };
}

function eventsIn(
  cwd: string,
  moduleId: "ffmpeg" | "command" = "command",
): Promise<InvocationEvent[]> {
  return readEvents(RunDir.of(join(cwd, "logs"), "r"), moduleId);
}

Deno.test("adapt passes stdin, stdout, stderr and the exit code on, and records the run", async () => {
  await using folder = await tempFolder();
  const cwd = folder.path;
  const ended = await endOf(
    adapt(["--", "sh", "-c", "cat; echo bad >&2; exit 7"], { cwd, env: { TS_ENQUEUE: "5.5" } }),
    "some\ninput",
  );
  assertEquals(ended, { code: 7, signal: null, stdout: "some\ninput", stderr: "bad\n" });
  const [launch, exit, ...more] = await eventsIn(cwd);
  assertEquals([launch?.event, exit?.event, more.length], ["launch", "exit", 0]);
  assert(exit !== undefined);
  const { status, node, ts_enqueue, path, method, task_id } = exit;
  assertEquals([status, node, ts_enqueue, path, method, task_id], [7, "n", 5.5, "sh", "CLI", null]);
  assertGreater(exit.ts_end ?? 0, exit.ts_start ?? Infinity);
  assertEquals([...Deno.readDirSync(join(cwd, "logs/r/pids"))], []);
});

Deno.test("adapt ends by the signal that ended the command", async () => {
  await using folder = await tempFolder();
  const ended = await endOf(adapt(["--", "sh", "-c", "kill -SEGV $$"], { cwd: folder.path }));
  assertEquals(ended.signal, "SIGSEGV");
  const [, exit] = await eventsIn(folder.path);
  assertEquals([exit?.status, exit?.signal], [139, "SIGSEGV"]);
});

Deno.test.each<[Deno.Signal]>([["SIGTERM"], ["SIGINT"], ["SIGUSR1"], ["SIGHUP"]])(
  "adapt passes %s on to the command",
  async (signal) => {
    await using folder = await tempFolder();
    const name = signal.slice(3);
    const script = `trap 'echo got ${name}; exit 9' ${name}; echo ready; ` +
      "while :; do sleep 0.02; done";
    const child = adapt(["--", "sh", "-c", script], { cwd: folder.path });
    const [ready, rest] = child.stdout.pipeThrough(new TextDecoderStream()).tee();
    const reader = ready.getReader();
    assertEquals((await reader.read()).value, "ready\n");
    reader.cancel();
    child.kill(signal);
    assertEquals((await child.status).code, 9);
    assertMatch((await Array.fromAsync(rest)).join(""), new RegExp(`got ${name}`));
    await child.stdin.close();
    await child.stderr.cancel();
  },
);

Deno.test("adapt leaves signals ignored that its caller ignores", async () => {
  await using folder = await tempFolder();
  const script = `trap "" HUP INT; exec "$0" run -A -q --no-check ${ADAPT} -- ` +
    "grep SigIgn /proc/self/status";
  const { stdout } = await new Deno.Command("sh", {
    args: ["-c", script, Deno.execPath()],
    cwd: folder.path,
    env: { RUN_ID: "r" },
  }).output();
  // SIGHUP is 1 and SIGINT 2.
  assertMatch(new TextDecoder().decode(stdout), /^SigIgn:\t0{15}3\n$/);
});

Deno.test("adapt leaves the command its caller's open files, and none of its own", async () => {
  await using folder = await tempFolder();
  async function filesOf(prefix: string): Promise<string> {
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", `exec 3</dev/zero; exec ${prefix} ls /proc/self/fd`],
      cwd: folder.path,
      env: { RUN_ID: "r" },
    }).output();
    return new TextDecoder().decode(stdout);
  }
  const direct = await filesOf("");
  assertMatch(direct, /^3$/m);
  assertEquals(await filesOf(`${Deno.execPath()} run -A -q --no-check ${ADAPT} --`), direct);
});

Deno.test("adapt takes the command along when it is killed", async () => {
  await using folder = await tempFolder();
  const child = adapt(["--", "sh", "-c", "echo $$; exec sleep 300"], { cwd: folder.path });
  const reader = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const pid = Number((await reader.read()).value);
  child.kill("SIGKILL");
  await child.status;
  await waitFor({
    what: "the end of the command",
    read: () => readProcessStat(pid),
    until: (stat) => stat === null || stat.state === "Z",
  });
  await reader.cancel();
  await child.stdin.close();
  await child.stderr.cancel();
});

Deno.test("adapt leaves what the command put into the background alone", async () => {
  await using folder = await tempFolder();
  const script = "sleep 300 >/dev/null 2>&1 & echo $!";
  const child = adapt(["--", "sh", "-c", script], { cwd: folder.path });
  const adapter = child.pid;
  const { stdout, code } = await endOf(child);
  const pid = Number(stdout);
  try {
    assertEquals(code, 0);
    // Its shell may be gone before it has become the program.
    await waitFor({
      what: "the command in the background",
      read: () => readProcessStat(pid)?.comm,
      until: (comm) => comm === "sleep",
    });
    assertEquals(cgroupsOfAdapter(adapter), []);
  } finally {
    Deno.kill(pid, "SIGKILL");
  }
});

Deno.test("adapt belongs to its caller's trace", async () => {
  await using folder = await tempFolder();
  const trace = "0af7651916cd43dd8448eb211c80319c";
  const TRACEPARENT = `00-${trace}-b7ad6b7169203331-01`;
  const script = "echo $TRACEPARENT";
  const call = { cwd: folder.path, env: { TRACEPARENT } };
  const { stdout } = await endOf(adapt(["--", "sh", "-c", script], call));
  const [, exit] = await eventsIn(folder.path);
  assertEquals([exit?.trace_id, exit?.parent_id], [trace, "b7ad6b7169203331"]);
  assertEquals(stdout, `00-${trace}-${exit?.span_id}-01\n`);
});

Deno.test("adapt names input and output of ffmpeg in its event", async () => {
  await using folder = await tempFolder();
  const source = ["-f", "lavfi", "-i", "testsrc=size=64x36:duration=0.2"];
  const args = ["--", "ffmpeg", "-loglevel", "error", "-nostdin", ...source, "o.mp4"];
  assertEquals((await endOf(adapt(args, { cwd: folder.path }))).code, 0);
  const [, exit] = await eventsIn(folder.path, "ffmpeg");
  const { size } = await Deno.stat(join(folder.path, "o.mp4"));
  assertEquals([exit?.path, exit?.output, exit?.bytes_out], ["ffmpeg", "o.mp4", size]);
});

Deno.test("adapt binds the command to CPUSET", async () => {
  await using folder = await tempFolder();
  const args = ["--", "grep", "Cpus_allowed_list", "/proc/self/status"];
  const call = { cwd: folder.path, env: { CPUSET: "0" } };
  assertMatch((await endOf(adapt(args, call))).stdout, /:\s+0$/m);
  const [, exit] = await eventsIn(folder.path);
  assertEquals([exit?.cpuset, exit?.cpu_binding], ["0", "exclusive"]);
});

Deno.test.each<[string, string[], Record<string, string>, number, RegExp]>([
  ["no command", [], {}, 2, /adapt: a command is required/],
  ["no RUN_ID", ["--", "true"], { RUN_ID: "" }, 2, /adapt: RUN_ID is required/],
  ["a RUN_ID that is a path", ["--", "true"], { RUN_ID: "../x" }, 2, /adapt: Cannot use RUN_ID/],
  ["a CPUSET that is none", ["--", "true"], { CPUSET: "x" }, 2, /adapt: Cannot use CPU list "x"/],
  ["a command that is not there", ["--", "no-such"], {}, 127, /adapt: program "no-such" is not in/],
  ["a folder", ["--", "./logs"], {}, 126, /adapt: program ".\/logs" is a directory/],
  ["a file of data", ["--", "/etc/passwd"], {}, 126, /adapt: program ".*" is not executable/],
  ["a CPU too many", ["--cpuset=0,4096", "--", "true"], {}, 2, /--cpuset 0,4096: only CPUs .* may/],
  ["a weight too large", ["--cpu-weight=10001", "--", "true"], {}, 2, /must be at most 10000/],
])("adapt says in one line that it got %s", async (_, args, env, code, message) => {
  await using folder = await tempFolder();
  await Deno.mkdir(join(folder.path, "logs"));
  const ended = await endOf(adapt(args, { cwd: folder.path, env }));
  assertEquals(ended.code, code, ended.stderr);
  assertMatch(ended.stderr, message);
  assertEquals(ended.stderr.trim().split("\n").length, 1, ended.stderr);
});

Deno.test("adapt ends with one line: time, CPU, peak memory with its source, and the record", async () => {
  await using folder = await tempFolder();
  const cwd = folder.path;
  const ended = await endOf(
    adapt(["--", "sh", "-c", "echo own >&2; exit 3"], { cwd, isTold: true }),
  );
  assertEquals(ended.code, 3);
  const [own, line, ...more] = ended.stderr.trimEnd().split("\n");
  assertEquals([own, more], ["own", []]);
  assertMatch(
    line ?? "",
    /^adapt: \d+\.\d{3} s, \d+\.\d{3} s CPU, (\d+\.\d MiB at most \(\w+\)|peak memory not known); recorded in .*logs\/r\/events\.command\.jsonl$/,
  );
});

Deno.test("adapt knows the peak memory of the whole tree, and of what is over at once", async () => {
  await using folder = await tempFolder();
  const cwd = folder.path;
  // Three processes hold 20 MB each at one time; each alone is below what the launcher itself has.
  const hold =
    "head -c 20000000 /dev/zero | (x=$(tr '\\0' x); echo ready; until [ -e go ]; do sleep 0.05; done)";
  const script = `for n in 1 2 3; do ${hold} & done; wait`;
  const child = adapt(["--", "sh", "-c", script], { cwd });
  const lines = child.stdout.pipeThrough(new TextDecoderStream());
  let said = "";
  let isTold = false;
  for await (const text of lines) {
    said += text;
    if (!isTold && said.split("ready").length === 4) {
      isTold = true;
      // The next reading is at most a second away.
      await waitFor({
        what: "a reading of all three",
        read: () => performance.now(),
        until: afterMs(1200),
      });
      await Deno.writeTextFile(join(cwd, "go"), "");
    }
  }
  await child.stdin.close();
  await child.stderr.cancel();
  await child.status;
  const [event] = (await eventsIn(cwd)).filter(({ event }) => event === "exit");
  assertEquals(event?.max_rss_source, "tree");
  assertGreater(event?.max_rss_kb ?? 0, 3 * 20_000_000 / 1024);
  await endOf(adapt(["--", "true"], { cwd }));
  const short = (await eventsIn(cwd)).at(-1);
  // Where no memory controller is there, nobody knows.
  if (short?.memory_peak_kb !== null) assertGreater(short?.max_rss_kb ?? 0, 0);
});

/** True from `delayMs` after the first call on. */
function afterMs(delayMs: number): (nowMs: number) => boolean {
  let firstMs: number | null = null;
  return (nowMs) => nowMs - (firstMs ??= nowMs) >= delayMs;
}
