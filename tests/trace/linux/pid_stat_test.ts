import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { parsePidStat } from "../../../trace/linux/pid_stat.ts";
import { fixture } from "../../collector/fixture.ts";

Deno.test("parsePidStat() reads a process of the fixture", () => {
  assertEquals(parsePidStat(fixture("100/stat")), {
    pid: 100,
    comm: "ffmpeg",
    state: "S",
    ppid: 1,
    session: 100,
    isKernelThread: false,
    isLaterThread: false,
    utimeTicks: 1500,
    stimeTicks: 42,
    childrenUtimeTicks: 1214,
    childrenStimeTicks: 438,
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
  Deno.test(`parsePidStat() keeps the name ${JSON.stringify(comm)} apart from the fields`, () => {
    const stat = parsePidStat(fixture(`${pid}/stat`));
    assertEquals([stat.pid, stat.comm, stat.state], [pid, comm, "S"]);
  });
}

Deno.test("parsePidStat() keeps any name of the kernel's length, whatever is in it", () => {
  const name = fc.string({ unit: "binary-ascii", maxLength: 15 });
  fc.assert(fc.property(name, (comm) => {
    const text = fixture("100/stat").replace("ffmpeg", () => comm);
    const stat = parsePidStat(text);
    assertEquals([stat.comm, stat.ppid, stat.startTicks], [comm, 1, 12345]);
  }));
});

Deno.test("parsePidStat() tells threads of the kernel from processes", () => {
  const isKernelThread = [1, 2, 7, 100].map((pid) =>
    parsePidStat(fixture(`${pid}/stat`)).isKernelThread
  );
  assertEquals(isKernelThread, [false, true, true, false]);
});

Deno.test("parsePidStat() tells a later thread from a process", () => {
  const thread = fixture("100/stat").replace(/ 17 1 0 0 0 0 0 /, " -1 1 0 0 0 0 0 ");
  const isLaterThread = [thread, fixture("100/stat")].map((text) =>
    parsePidStat(text).isLaterThread
  );
  assertEquals(isLaterThread, [true, false]);
});

Deno.test("parsePidStat() reads a process that ends, which has no session any more", () => {
  const fields = fixture("100/stat").split(") ");
  const numbers = (fields[1] ?? "").split(" ");
  numbers[3] = "-1";
  assertEquals(parsePidStat(`${fields[0]}) ${numbers.join(" ")}`).session, -1);
});

Deno.test("parsePidStat() holds the largest exact integers", () => {
  const { utimeTicks, startTicks, rssPages } = parsePidStat(fixture("107/stat"));
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
  Deno.test(`parsePidStat() refuses ${what}`, () => {
    assertThrows(() => parsePidStat(text), SyntaxError, required);
  });
}
