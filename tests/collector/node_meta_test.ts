import { assertEquals, assertThrows } from "@std/assert";
import { NODE_META } from "../../trace/records.ts";
import { type NodeMetaOptions, readNodeMeta } from "../../collector/node_meta.ts";
import { Procfs } from "../../collector/proc/procfs.ts";
import { FIXTURE_PROCFS, FIXTURE_SYSFS } from "./fixture.ts";

const procfs = new Procfs(FIXTURE_PROCFS);
const options: NodeMetaOptions = {
  runId: "r1",
  nodeId: "n1",
  stage: "test",
  sysfs: FIXTURE_SYSFS,
  cpus: null,
  availableCores: null,
  frequencyMhz: null,
  address: null,
  interface: null,
  now: { tsMs: 1_700_000_000_000.5, bootMs: 2_115_270 },
};

Deno.test("readNodeMeta() describes the fixture's machine", () => {
  assertEquals(readNodeMeta(procfs, options), {
    format_version: "1.0",
    run_id: "r1",
    node_id: "n1",
    stage: "test",
    host_name: "node-1",
    boot_id: "3ad0a3a8-0c2f-4f3f-a1b6-5f1e2d3c4b5a",
    ts_ms: 1_700_000_000_000.5,
    boot_ms: 2_115_270,
    cpu_cores: 4,
    cpus: null,
    machine_cores: 4,
    cpu_model: null,
    cpu_freq_mhz: 3000,
    cpu_freq_source: "cpufreq_max",
    mem_kb: 65_841_152,
    mem_mb: 64_298,
    interface: "eth0",
    kernel: "6.1.0-18-arm64",
    cgroup_version: "v2",
  });
});

Deno.test("readNodeMeta() counts a node's share of the cores, at the frequency of these", () => {
  const meta = readNodeMeta(procfs, { ...options, cpus: "2-3" });
  assertEquals([meta.cpu_cores, meta.cpus, meta.machine_cores, meta.cpu_freq_mhz], [
    2,
    "2-3",
    4,
    3400,
  ]);
});

Deno.test("readNodeMeta() counts the cores that a worker may use, as the worker does", async () => {
  const cores = (availableCores: number) => {
    const meta = readNodeMeta(procfs, { ...options, availableCores });
    return [meta.cpu_cores, meta.machine_cores];
  };
  assertEquals([cores(1), cores(4), cores(64)], [[1, 4], [4, 4], [4, 4]]);
  // In a cpuset of one CPU.
  const script = `import { availableCores } from "${
    import.meta.resolve("../../trace/linux/cores.ts")
  }"; console.log(availableCores());`;
  const { stdout } = await new Deno.Command("taskset", {
    args: ["-c", "0", Deno.execPath(), "eval", script],
  }).output();
  assertEquals(new TextDecoder().decode(stdout), "1\n");
});

Deno.test("readNodeMeta() refuses a share of cores that are not there", () => {
  assertThrows(() => readNodeMeta(procfs, { ...options, cpus: "3-4" }), RangeError, "got 4");
});

Deno.test("readNodeMeta() believes CPU_FREQ_MHZ and IFACE over the machine", () => {
  const given = { ...options, frequencyMhz: 3000, interface: "bond0", address: "10.9.9.9" };
  const meta = readNodeMeta(procfs, given);
  assertEquals([meta.cpu_freq_mhz, meta.cpu_freq_source, meta.interface], [
    3000,
    "override",
    "bond0",
  ]);
});

Deno.test("readNodeMeta() names the interface towards VM_IP, the default one for a host name", () => {
  const towards = (address: string) => readNodeMeta(procfs, { ...options, address }).interface;
  assertEquals([towards("10.9.9.9"), towards("controller.example")], ["tun0", "eth0"]);
});

Deno.test("readNodeMeta() says null where nothing tells, and never invents", () => {
  const empty = Deno.makeTempDirSync();
  try {
    const meta = readNodeMeta(new Procfs(empty), { ...options, sysfs: empty });
    const known = Object.entries(meta).filter(([, value]) => value !== null);
    const given = ["format_version", "run_id", "node_id", "stage", "ts_ms", "boot_ms"];
    assertEquals(known.map(([name]) => name), [...given, "cpu_cores", "machine_cores"]);
  } finally {
    Deno.removeSync(empty);
  }
});

Deno.test("readNodeMeta() of this machine satisfies its record", () => {
  const meta = readNodeMeta(new Procfs(), { ...options, sysfs: "/sys" });
  assertEquals(NODE_META.decode(structuredClone(meta), "node_meta.json"), meta);
  assertEquals(meta.cpu_cores, navigator.hardwareConcurrency);
  assertEquals(meta.host_name, Deno.hostname());
});
