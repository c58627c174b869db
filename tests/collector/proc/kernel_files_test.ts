import { assertEquals, assertThrows } from "@std/assert";
import { parsePageBytes } from "../../../collector/proc/auxv.ts";
import { parseCgroupProcs } from "../../../collector/proc/cgroup_procs.ts";
import { parseCpuInfo } from "../../../collector/proc/cpuinfo.ts";
import { parseOpenFilesLimit } from "../../../collector/proc/limits.ts";
import { parseLastPid } from "../../../collector/proc/loadavg.ts";
import { parseMeminfo } from "../../../collector/proc/meminfo.ts";
import { parseCgroupVersion } from "../../../trace/linux/mounts.ts";
import { parseNetDev } from "../../../collector/proc/net_dev.ts";
import { interfaceTowards, parseIpv4, parseNetRoute } from "../../../collector/proc/net_route.ts";
import { parsePressure } from "../../../collector/proc/pressure.ts";
import { residentPages } from "../../../collector/proc/pid_statm.ts";
import { parseVmHwm } from "../../../trace/linux/pid_status.ts";
import { parseCpuTicks, parseForkCount } from "../../../collector/proc/stat.ts";
import { parseUptimeMs } from "../../../collector/proc/uptime.ts";
import { fixture, FIXTURE_PROCFS } from "../fixture.ts";

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("residentPages() is the second number, up to the length that was read", () => {
  const buffer = bytes("42257 318 1839 202 0 5150 0\nrest of an earlier, longer file");
  assertEquals(residentPages(buffer, 28), 318);
  assertEquals(residentPages(bytes("0 0 0 0 0 0 0\n"), 14), 0);
  assertEquals(residentPages(bytes("1 4398046511104"), 15), 2 ** 42);
});

Deno.test("residentPages() is NaN for a file without a second number", () => {
  for (const text of ["", "12", "12 ", "12 x"]) {
    assertEquals(residentPages(bytes(text), text.length), NaN);
  }
});

Deno.test("parseVmHwm() is in kB, null for a zombie and a thread of the kernel", () => {
  assertEquals(parseVmHwm(fixture("100/status")), 140_000);
  assertEquals(parseVmHwm(fixture("106/status")), null);
  assertEquals(parseVmHwm(fixture("7/status")), null);
});

Deno.test("parseVmHwm() refuses another unit", () => {
  assertThrows(() => parseVmHwm("Name:\tx\nVmHWM:\t 12 MB\n"), SyntaxError, "kB");
});

Deno.test("parsePageBytes() finds the page size, and null where the vector ends without it", () => {
  assertEquals(parsePageBytes(Deno.readFileSync(`${FIXTURE_PROCFS}/self/auxv`)), 65_536);
  assertEquals(parsePageBytes(new Uint8Array(16)), null);
  assertEquals(parsePageBytes(new Uint8Array(0)), null);
  const afterEnd = new Uint8Array(new BigUint64Array([0n, 0n, 6n, 4096n]).buffer);
  assertEquals(parsePageBytes(afterEnd), null);
});

Deno.test("parseCpuInfo() knows the keys of x86, arm64, powerpc and s390", () => {
  const x86 = "processor\t: 0\nmodel name\t: AMD EPYC\ncpu MHz\t\t: 2599.998\n\n" +
    "processor\t: 1\nmodel name\t: AMD EPYC\ncpu MHz\t\t: 1200.000\n";
  assertEquals(parseCpuInfo(x86), { coreCount: 2, model: "AMD EPYC", frequencyMhz: 2599.998 });
  assertEquals(parseCpuInfo(fixture("cpuinfo")), { coreCount: 4, model: null, frequencyMhz: null });
  const powerpc = "processor\t: 0\ncpu\t\t: POWER9, altivec supported\nclock\t\t: 3800.0MHz\n";
  assertEquals(parseCpuInfo(powerpc).model, "POWER9, altivec supported");
  const s390 = "vendor_id       : IBM/S390\n# processors    : 2\nprocessor 0: version = FF\n";
  assertEquals(parseCpuInfo(s390), { coreCount: 0, model: null, frequencyMhz: null });
});

Deno.test("parseMeminfo() has every line by name", () => {
  const meminfo = parseMeminfo(fixture("meminfo"));
  assertEquals(meminfo.get("MemTotal"), 65_841_152);
  assertEquals(meminfo.get("Active(anon)"), 12_345);
  assertEquals(meminfo.get("HugePages_Total"), 0);
  assertEquals(parseMeminfo("MemTotal 12 kB\nMem: 1 2 3\n").size, 0);
});

Deno.test("parseForkCount() and parseCpuTicks() read the host's counters", () => {
  assertEquals(parseForkCount(fixture("stat")), 27_963);
  assertThrows(() => parseForkCount("cpu  1 2\n"), SyntaxError, "processes");
  assertEquals(parseCpuTicks(fixture("stat")), {
    user: 34_496,
    nice: 1,
    system: 12_137,
    idle: 610_200,
    iowait: 526,
    irq: 2,
    softirq: 80,
    steal: 223,
  });
  assertThrows(() => parseCpuTicks("cpu0 1 2 3 4 5 6 7 8\n"), SyntaxError, "first line");
});

Deno.test("parseLastPid() is the last field of loadavg", () => {
  assertEquals(parseLastPid(fixture("loadavg")), 11_206);
  assertThrows(() => parseLastPid("0.1 0.2"), SyntaxError, "five fields");
});

Deno.test("parseUptimeMs() is whole milliseconds", () => {
  assertEquals(parseUptimeMs(fixture("uptime")), 2_115_270);
  assertThrows(() => parseUptimeMs("soon"), SyntaxError, "seconds");
});

Deno.test("parseOpenFilesLimit() is the soft limit, Infinity where there is none", () => {
  const limits = (soft: string) =>
    `Limit                     Soft Limit           Hard Limit           Units     \n` +
    `Max processes             96365                96365                processes \n` +
    `Max open files            ${soft.padEnd(20)} 1048576              files     \n`;
  assertEquals(parseOpenFilesLimit(limits("1024")), 1024);
  assertEquals(parseOpenFilesLimit(limits("unlimited")), Infinity);
  assertEquals(parseOpenFilesLimit(""), Infinity);
});

Deno.test("parseCgroupProcs() leaves out the processes of another pid namespace", () => {
  assertEquals(parseCgroupProcs("12\n0\n345\n"), [12, 345]);
  assertEquals(parseCgroupProcs(""), []);
});

Deno.test("parseCgroupVersion() goes by the types of mounts, not by their names", () => {
  assertEquals(parseCgroupVersion(fixture("self/mounts")), "v2");
  const v1 = "cgroup /sys/fs/cgroup/cpu cgroup rw,cpu 0 0\n";
  assertEquals(parseCgroupVersion(v1), "v1");
  assertEquals(parseCgroupVersion(v1 + fixture("self/mounts")), "hybrid");
  assertEquals(parseCgroupVersion("tmpfs /sys/fs/cgroup2 tmpfs rw 0 0\n"), null);
});

Deno.test("parseNetDev() reads names that touch their numbers", () => {
  const traffic = parseNetDev(fixture("net/dev"));
  assertEquals([...traffic.keys()], ["lo", "eth0", "wg0.1-x"]);
  assertEquals(traffic.get("eth0"), { receivedBytes: 131_072_986, sentBytes: 333_962 });
  assertEquals(traffic.get("wg0.1-x"), { receivedBytes: 5, sentBytes: 6 });
  assertThrows(() => parseNetDev("a\nb\neth0 1 2\n"), SyntaxError, "eth0");
});

Deno.test("parsePressure() has no full line for CPUs of older kernels", () => {
  assertEquals(parsePressure(fixture("pressure/cpu")), { someUs: 89_803, fullUs: null });
  assertEquals(parsePressure(fixture("pressure/memory")), { someUs: 89_806, fullUs: 446 });
  assertEquals(parsePressure(""), { someUs: null, fullUs: null });
});

for (
  const [address, expected] of [
    [null, "eth0"],
    ["8.8.8.8", "eth0"],
    ["10.9.9.9", "tun0"],
    ["10.0.1.77", "tun1"],
    ["192.0.2.1", "eth0"],
    ["169.254.0.1", "eth0"],
  ] as const
) {
  Deno.test(`interfaceTowards() takes the longest mask and the lowest metric for ${address}`, () => {
    const routes = parseNetRoute(fixture("net/route"));
    const number = address === null ? null : parseIpv4(address);
    assertEquals(interfaceTowards(routes, number), expected);
  });
}

Deno.test("interfaceTowards() is null without a route", () => {
  assertEquals(interfaceTowards([], 1), null);
  assertEquals(interfaceTowards(parseNetRoute(""), null), null);
  assertThrows(() => parseNetRoute("head\neth0 00000000\n"), SyntaxError, "eth0");
});

Deno.test("parseIpv4() takes dotted numbers only", () => {
  assertEquals(parseIpv4("10.0.0.5"), 0x0a000005);
  assertEquals(parseIpv4("255.255.255.255"), 0xffffffff);
  for (const text of ["10.0.0", "10.0.0.256", "controller", "::1", "1.2.3.4.5", "1.2.3.-4"]) {
    assertEquals(parseIpv4(text), null, text);
  }
});
