import { assert, assertEquals, assertThrows } from "@std/assert";
import { fromFileUrl } from "@std/path";
import type { Alarm } from "../../../collector/sampling/alarm.ts";
import { SamplingCalls } from "../../../collector/sampling_calls.ts";
import { ProcessDeniedError, ProcessGoneError } from "../../../collector/proc/errors.ts";
import {
  openProcessReader,
  type ProcessHandle,
  type ProcessReader,
  readHwmKb,
  Reading,
} from "../../../collector/following/process_reader.ts";
import { Procfs } from "../../../collector/proc/procfs.ts";
import { openReadingClock } from "../../../collector/sampling/reading_clock.ts";
import { Child } from "../child.ts";
import { FIXTURE_PROCFS, ProcTree } from "../fixture.ts";
import { has } from "../../support/left_out.ts";

/** A pid namespace of its own, with a /proc of its own: not every container lets a process have that. */
const NEST = ["--user", "--map-root-user", "--pid", "--fork", "--mount-proc"];
const CAN_NEST = has({
  "a pid namespace of its own":
    new Deno.Command("unshare", { args: [...NEST, "true"], stderr: "null" }).outputSync().success,
});

const NO_ALARM: Pick<Alarm, "watchEnd"> = { watchEnd: () => null };

interface Tools extends Disposable {
  readonly reader: ProcessReader;
}

function openTools({ ffi, mount = "/proc" }: { ffi: boolean; mount?: string }): Tools {
  const resources = new DisposableStack();
  const procfs = new Procfs(mount);
  const libc = ffi ? SamplingCalls.open() : null;
  if (libc !== null) resources.use(libc);
  const clock = resources.use(openReadingClock(procfs, { ffi }));
  const reader = openProcessReader({ procfs, clock, libc, alarm: NO_ALARM });
  return { reader, [Symbol.dispose]: () => resources.dispose() };
}

/** The counters now, null when the process is gone. */
function readNow(handle: ProcessHandle): Reading | null {
  const reading = new Reading();
  return handle.read(reading) ? reading : null;
}

for (const ffi of [true, false]) {
  const source = ffi ? "the CPU clock" : "/proc/PID/stat";

  Deno.test(`ProcessHandle.read() by ${source} agrees with the kernel's own count of this process`, () => {
    using tools = openTools({ ffi });
    assertEquals(tools.reader.cpuSource, ffi ? "cpu_clock" : "stat");
    using handle = tools.reader.open(Deno.pid);
    const before = Deno.readTextFileSync(`/proc/${Deno.pid}/schedstat`);
    const beforeMs = Date.now();
    const reading = readNow(handle);
    assert(reading !== null);
    const cpuMs = ffi
      ? (reading.cpuNs ?? NaN) / 1e6
      : ((reading.utime ?? NaN) + (reading.stime ?? NaN)) * 10;
    // schedstat is the main thread alone, so the process has at least that; a tick is 10 ms.
    assert(cpuMs >= Number(before.split(" ")[0]) / 1e6 - 20, `${cpuMs} ms, schedstat ${before}`);
    // Date.now() rounds down.
    assert(
      beforeMs <= reading.tsMs && reading.tsMs < Date.now() + 1,
      `${beforeMs} ${reading.tsMs}`,
    );
  });

  Deno.test(`ProcessHandle.read() by ${source} agrees with the kernel on the memory of a process`, async () => {
    using tools = openTools({ ffi });
    // It waits: only what does not run keeps its memory.
    await using child = Child.start("echo; read line");
    await child.nextLine();
    using handle = tools.reader.open(child.pid);
    const status = Deno.readTextFileSync(`/proc/${child.pid}/status`);
    const rssKb = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]);
    const read = readNow(handle)?.rssKb ?? NaN;
    // Counters of other CPUs are added up a little later.
    assert(Math.abs(read - rssKb) < 1024, `${read} kB, ${rssKb} kB`);
  });

  Deno.test(`ProcessHandle.read() by ${source} never goes back`, () => {
    using tools = openTools({ ffi });
    using handle = tools.reader.open(Deno.pid);
    let last = readNow(handle);
    for (let count = 0; count < 1000; count++) {
      const next = readNow(handle);
      assert(last !== null && next !== null);
      assert(next.bootMs >= last.bootMs && next.tsMs >= last.tsMs);
      assert((next.cpuNs ?? 0) >= (last.cpuNs ?? 0) && (next.utime ?? 0) >= (last.utime ?? 0));
      last = next;
    }
  });

  Deno.test(`ProcessHandle.read() by ${source} still reads a zombie, whose memory is gone`, async () => {
    using tools = openTools({ ffi });
    // The shell does not wait for its child before it is told to.
    await using parent = Child.start('sh -c "echo $\\$; read x" <&0 & read line; wait');
    const pid = Number(await parent.nextLine());
    using handle = tools.reader.open(pid);
    const alive = readNow(handle);
    Deno.kill(pid, "SIGKILL");
    let zombie = readNow(handle);
    while (zombie !== null && zombie.rssKb !== null) zombie = readNow(handle);
    assert(alive !== null && zombie !== null);
    assert((zombie.cpuNs ?? 0) >= (alive.cpuNs ?? 0) && (zombie.utime ?? 0) >= (alive.utime ?? 0));
  });

  Deno.test(`ProcessHandle.read() by ${source} is null when the process is gone`, async () => {
    using tools = openTools({ ffi });
    await using child = Child.start();
    using handle = tools.reader.open(child.pid);
    assert(readNow(handle) !== null);
    await child.tell();
    await child.status;
    assertEquals(readNow(handle), null);
    assertThrows(() => tools.reader.open(child.pid), ProcessGoneError, String(child.pid));
  });

  Deno.test(`ProcessReader.open() by ${source} leaves no descriptor behind`, async () => {
    using tools = openTools({ ffi });
    await using child = Child.start();
    const count = () => [...Deno.readDirSync("/proc/self/fd")].length;
    const before = count();
    for (let round = 0; round < 100; round++) {
      tools.reader.open(child.pid)[Symbol.dispose]();
      assertThrows(() => tools.reader.open(2 ** 22 + 1), ProcessGoneError);
    }
    // A hundred more if each left one; the runtime itself closes and opens some now and then.
    assert(count() < before + 100, `${before}, then ${count()}`);
  });

  const neverMixes = `ProcessHandle.read() by ${source} never mixes two processes of one pid`;
  Deno.test(neverMixes, { ignore: !CAN_NEST }, async () => {
    // The pid is given again by writing ns_last_pid in a pid namespace of its own.
    const script = fromFileUrl(new URL("../pid_reuse.ts", import.meta.url));
    const { code, stdout, stderr } = await new Deno.Command("unshare", {
      args: [
        ...NEST,
        ...[Deno.execPath(), "run", "-A", "-q", script, ffi ? "ffi" : "stat"],
      ],
    }).output();
    assertEquals(code, 0, new TextDecoder().decode(stderr));
    const { pid, reusedPid, isRead, otherCpuNs } = JSON.parse(new TextDecoder().decode(stdout));
    assertEquals(reusedPid, pid, "the pid was not given again");
    assert(otherCpuNs !== null, "by bare pid, the clock of the other process can be read");
    assertEquals(isRead, false);
  });
}

Deno.test("ProcessHandle.read() takes the page size from the mount: 64 KiB in the fixture", () => {
  using tools = openTools({ ffi: true, mount: FIXTURE_PROCFS });
  assertEquals(tools.reader.cpuSource, "stat", "pids of a fixture are not ours");
  using handle = tools.reader.open(100);
  const reading = readNow(handle);
  assertEquals(reading?.rssKb, 2048 * 64);
  assertEquals([reading?.cpuNs, reading?.utime, reading?.stime], [null, 1500, 42]);
});

Deno.test("ProcessHandle.read() is null for memory where the page size is not known", async () => {
  await using tree = await ProcTree.copy();
  Deno.removeSync(`${tree.mount}/self/auxv`);
  using tools = openTools({ ffi: false, mount: tree.mount });
  using handle = tools.reader.open(100);
  assertEquals(readNow(handle)?.rssKb, null);
});

Deno.test("ProcessReader.open() says that a folder without files is a process that ended", () => {
  using tools = openTools({ ffi: false, mount: FIXTURE_PROCFS });
  assertThrows(() => tools.reader.open(108), ProcessGoneError, "108");
});

Deno.test("ProcessReader.open() is loud about a file that is not what proc(5) says", async () => {
  await using tree = await ProcTree.copy();
  Deno.writeTextFileSync(`${tree.mount}/100/stat`, "100 (ffmpeg) S 1");
  using tools = openTools({ ffi: false, mount: tree.mount });
  assertThrows(() => tools.reader.open(100), ProcessDeniedError, "malformed");
});

Deno.test("readHwmKb() is the peak of a process, null for a zombie and one that is gone", () => {
  const procfs = new Procfs(FIXTURE_PROCFS);
  assertEquals([100, 106, 999].map((pid) => readHwmKb(procfs, pid)), [140_000, null, null]);
});
