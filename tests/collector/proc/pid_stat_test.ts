import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parseProcPidStat } from "../../../collector/proc/pid_stat.ts";
import { fixture } from "../fixture.ts";

Deno.test("parseProcPidStat() reads a process of the fixture", () => {
  assertEquals(parseProcPidStat(fixture("100/stat")), {
    pid: 100,
    comm: "ffmpeg",
    state: "S",
    ppid: 1,
    isKernelThread: false,
    isLaterThread: false,
    utimeTicks: 1500,
    stimeTicks: 42,
    startTicks: 12345,
    rssPages: 2048,
  });
});

for (
  const [pid, comm] of [
    [101, ") R 1 (1 2 3"],
    [102, "a b\nc (d) e"],
    [104, ""],
    [7, "kworker/0:1-eve(nts) x"],
  ] as const
) {
  Deno.test(`parseProcPidStat() keeps the name ${JSON.stringify(comm)} apart from the fields`, () => {
    const stat = parseProcPidStat(fixture(`${pid}/stat`));
    assertEquals([stat.pid, stat.comm, stat.state], [pid, comm, "S"]);
  });
}

Deno.test("parseProcPidStat() keeps any name of the kernel's length, whatever is in it", () => {
  const name = fc.string({ unit: "binary-ascii", maxLength: 15 });
  fc.assert(fc.property(name, (comm) => {
    const text = fixture("100/stat").replace("ffmpeg", () => comm);
    const stat = parseProcPidStat(text);
    assertEquals([stat.comm, stat.ppid, stat.startTicks], [comm, 1, 12345]);
  }));
});

Deno.test("parseProcPidStat() tells threads of the kernel from processes", () => {
  const isKernelThread = [1, 2, 7, 100].map((pid) =>
    parseProcPidStat(fixture(`${pid}/stat`)).isKernelThread
  );
  assertEquals(isKernelThread, [false, true, true, false]);
});

Deno.test("parseProcPidStat() tells a later thread from a process", () => {
  const thread = fixture("100/stat").replace(/ 17 1 0 0 0 0 0 /, " -1 1 0 0 0 0 0 ");
  const isLaterThread = [thread, fixture("100/stat")].map((text) =>
    parseProcPidStat(text).isLaterThread
  );
  assertEquals(isLaterThread, [true, false]);
});

Deno.test("parseProcPidStat() holds the largest exact integers", () => {
  const { utimeTicks, startTicks, rssPages } = parseProcPidStat(fixture("107/stat"));
  assertEquals([utimeTicks, startTicks, rssPages], [
    Number.MAX_SAFE_INTEGER,
    Number.MAX_SAFE_INTEGER,
    2 ** 42,
  ]);
});

const whole = fixture("100/stat");
for (
  const [what, text, required] of [
    ["nothing", "", "a name in parentheses"],
    ["no name", "100 S 1 2", "a name in parentheses"],
    ["a cut line", whole.slice(0, 40), "a whole number"],
    // The field before starttime is always 0.
    ["an integer beyond 2^53", whole.replace(" 0 12345 ", " 0 9007199254740993 "), "starttime"],
    ["a negative time", whole.replace(" 1500 ", " -1500 "), "utime"],
  ] as const
) {
  Deno.test(`parseProcPidStat() refuses ${what}`, () => {
    assertThrows(() => parseProcPidStat(text), SyntaxError, required);
  });
}
