import { assertEquals } from "@std/assert";
import { parseHierarchies, placeBelow } from "../../adapter/place/cgroup_mounts.ts";
import { parseCpuStat } from "../../adapter/place/cpu_stat.ts";
import { parseUser, parseUserGroups } from "../../adapter/user_database.ts";
import { parseWaitResult } from "../../adapter/start/wait_result.ts";

Deno.test("parseHierarchies() finds a machine with the unified hierarchy alone", () => {
  const mountinfo =
    "30 23 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:4 - cgroup2 cgroup2 rw\n";
  assertEquals(parseHierarchies(mountinfo, "0::/user.slice/session-3.scope\n"), [{
    version: 2,
    controllers: [],
    mountPoint: "/sys/fs/cgroup",
    hiddenDepth: 0,
    below: "user.slice/session-3.scope",
  }]);
});

Deno.test("parseHierarchies() finds v1 controllers beside an empty v2 hierarchy", () => {
  const mountinfo = [
    "24 23 8:1 / / rw,relatime - ext4 /dev/vda1 rw",
    "32 31 0:28 / /sys/fs/cgroup/cpu,cpuacct rw shared:9 master:2 - cgroup cgroup rw,cpu,cpuacct",
    "33 31 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd",
    "34 31 0:30 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw,nsdelegate",
  ].join("\n");
  const cgroup = "2:cpu,cpuacct:/jobs\n1:name=systemd:/init.scope\n0::/\n";
  assertEquals(
    parseHierarchies(mountinfo, cgroup).map(({ version, controllers, mountPoint, below }) =>
      `${version} ${controllers} ${mountPoint} ${below}`
    ),
    [
      "1 cpu,cpuacct /sys/fs/cgroup/cpu,cpuacct jobs",
      "1 name=systemd /sys/fs/cgroup/systemd init.scope",
      "2  /sys/fs/cgroup/unified ",
    ],
  );
});

Deno.test("parseHierarchies() counts from a container's mount root, and undoes octal escapes", () => {
  const mountinfo = "9 8 0:1 /docker/4f /a\\040b rw - cgroup2 cgroup rw";
  const [found] = parseHierarchies(mountinfo, "0::/docker/4f/task");
  assertEquals([found?.mountPoint, found?.below], ["/a b", "task"]);
});

Deno.test("parseHierarchies() knows the mount on top of another one only", () => {
  const mountinfo = [
    "9 8 0:1 /.. /sys/fs/cgroup rw - cgroup2 cgroup rw",
    "10 8 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup rw",
  ].join("\n");
  const found = parseHierarchies(mountinfo, "0::/system.slice");
  assertEquals(found.map(({ hiddenDepth, below }) => [hiddenDepth, below]), [[0, "system.slice"]]);
});

Deno.test("parseHierarchies() leaves out where a process is outside its namespace", () => {
  const mountinfo = "9 8 0:1 / /sys/fs/cgroup rw - cgroup2 cgroup rw";
  assertEquals(parseHierarchies(mountinfo, "0::/../other"), []);
});

Deno.test.each<[root: string, path: string, found: [number, string] | null]>([
  ["/", "/", [0, ""]],
  ["/", "/a/b", [0, "a/b"]],
  ["/foo", "/foo/bar", [0, "bar"]],
  ["/foo", "/foobar", null],
  ["/foo", "/", null],
  ["/foo/bar", "/foo", null],
  ["/../..", "/", [2, ""]],
  ["/../..", "/job", [2, "job"]],
  ["/../..", "/../job", [1, "job"]],
  ["/..", "/../job", [0, "job"]],
  ["/", "/../job", null],
  ["/..", "/../../job", null],
  ["/../foo", "/../foo/x", [0, "x"]],
  ["/../foo", "/", null],
])("placeBelow() of a mount of %s puts %s at %j", (root, path, found) => {
  const place = placeBelow(root, path);
  assertEquals(place && [place.hiddenDepth, place.below], found);
});

Deno.test("parseCpuStat() reads microseconds of v2", () => {
  const text = "usage_usec 1500\nuser_usec 1000\nsystem_usec 500\nnice_usec 0\n" +
    "nr_periods 7\nnr_throttled 2\nthrottled_usec 12345\n";
  assertEquals(parseCpuStat(text), { userMs: 1, systemMs: 0.5, throttledMs: 12.345 });
});

Deno.test("parseCpuStat() reads nanoseconds of v1, which knows the throttling alone", () => {
  const text = "nr_periods 7\nnr_throttled 2\nthrottled_time 12345678\n";
  assertEquals(parseCpuStat(text), { userMs: null, systemMs: null, throttledMs: 12.345678 });
});

Deno.test("parseUser() finds name and home by id", () => {
  const passwd = "bob:x:1001:100::/home/bob:/bin/sh\nann:x:1000:100::/home/ann:/bin/sh\n";
  assertEquals(parseUser(passwd, 1000), { name: "ann", home: "/home/ann" });
  assertEquals(parseUser(passwd, 100), null);
});

Deno.test("parseUserGroups() finds the groups of a user as initgroups does", () => {
  const group = "root:x:0:\nvideo:x:44:bob,ann\nannex:x:45:annette\nusers:x:100:ann\n";
  assertEquals(parseUserGroups(group, { name: "ann", gid: 100 }), [100, 44]);
});

Deno.test("parseUserGroups() leaves a user of no file with its own group", () => {
  assertEquals(parseUserGroups("x:x:7:\n", { name: null, gid: 6 }), [6]);
});

Deno.test("parseWaitResult() tells an exit code from a signal", () => {
  const words = new BigInt64Array(18);
  const ended = (waitStatus: number) => {
    const { status, signal } = parseWaitResult(waitStatus, words);
    return { status, signal };
  };
  assertEquals(ended(0x0300), { status: 3, signal: null });
  assertEquals(ended(9), { status: 137, signal: "SIGKILL" });
  assertEquals(ended(11 | 0x80), { status: 139, signal: "SIGSEGV" });
  assertEquals(ended(40), { status: 168, signal: "SIGRT40" });
});

Deno.test("parseWaitResult() reads struct rusage", () => {
  const words = BigInt64Array.from(
    [2, 500_001, 1, 250_000, 4096, 0, 0, 0, 10, 11, 0, 12, 13, 0, 0, 0, 14, 15].map(BigInt),
  );
  assertEquals(parseWaitResult(0, words).rusage, {
    userMs: 2500.001,
    systemMs: 1250,
    maxRssKb: 4096,
    minorFaults: 10,
    majorFaults: 11,
    readBlocks: 12,
    writtenBlocks: 13,
    voluntarySwitches: 14,
    involuntarySwitches: 15,
  });
});
