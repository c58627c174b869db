import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { exportOpendc } from "../../../export/opendc/export.ts";
import { verifyOpendc } from "../../../export/verify/verify.ts";
import { writeTwoNodeRun } from "../../support/cts_run.ts";
import { failuresOf, reasonOf } from "../../support/small_workload.ts";
import { tempFolder } from "../../support/temp_folder.ts";

const FIXTURES = fromFileUrl(new URL("../../fixtures/opendc/", import.meta.url));

// What DuckDB says about the same files.
const OPENDC_WORKLOADS = [
  {
    name: "100_tasks",
    tasks: 100,
    fragments: 100,
    submission_ms: [1704152847048, 1706717492979],
    duration_ms: [3_600_000, 3_600_000],
    cpu_count: [1, 1],
    capacity_mhz: [1000, 1000],
    peak_mhz: 1000,
    mean_mhz: 1000,
    memory_mib: [10, 10],
  },
  {
    name: "100_fragments",
    tasks: 1000,
    fragments: 100_000,
    submission_ms: [1704069550323, 1706741988979],
    duration_ms: [3_600_000, 3_600_000],
    cpu_count: [1, 1],
    capacity_mhz: [1000, 1000],
    peak_mhz: 1000,
    mean_mhz: 1000,
    memory_mib: [10, 10],
  },
  {
    name: "surf_week",
    tasks: 6295,
    fragments: 2_323_475,
    submission_ms: [1665093600000, 1665698347000],
    duration_ms: [30_000, 432_030_000],
    cpu_count: [16, 16],
    capacity_mhz: [33_600, 33_600],
    peak_mhz: 33_600,
    mean_mhz: 1524009661650000 / (2_323_475 * 30_000),
    memory_mib: [100, 100],
  },
] as const;

for (const { name, mean_mhz, ...expected } of OPENDC_WORKLOADS) {
  Deno.test(`verifyOpendc() accepts OpenDC's own ${name} and describes it right`, async () => {
    const report = await verifyOpendc({ input: join(FIXTURES, name) });
    assertEquals(failuresOf(report), []);
    assert(report.ok);
    const { found } = report;
    assert(found !== null);
    for (const [field, value] of Object.entries(expected)) {
      assertEquals(found[field as keyof typeof found], value, field);
    }
    assertAlmostEquals(found.mean_mhz, mean_mhz, 1e-6);
    assertEquals(found.codecs, ["SNAPPY"]);
  });
}

/** An export of the two-node run. */
async function exported(folder: string): Promise<{ input: string; cts: string }> {
  const cts = join(folder, "run");
  const input = join(folder, "out");
  await writeTwoNodeRun(cts);
  await exportOpendc({ input: cts, output: input, version: "test" });
  return { input, cts };
}

async function editJson(
  path: string,
  // deno-lint-ignore no-explicit-any -- a test spoils a file in ways that its type forbids
  spoil: (value: any) => void,
): Promise<void> {
  const value = JSON.parse(await Deno.readTextFile(path));
  spoil(value);
  await Deno.writeTextFile(path, JSON.stringify(value));
}

const SPOILED: readonly (readonly [
  string,
  string,
  Parameters<typeof editJson>[1],
  string,
  string,
])[] = [
  [
    "a topology with a key that OpenDC does not know",
    "small_datacenter.json",
    (value) => value.clusters[0].hosts[0].note = "mine",
    "topology",
    "unknown keys: note",
  ],
  [
    "memory in bytes without a unit",
    "small_datacenter.json",
    (value) => value.clusters[0].hosts[0].memory.memorySize = 16 * 2 ** 30,
    "topology",
    "looks like bytes",
  ],
  [
    "hosts too small for a task",
    "small_datacenter.json",
    (value) => {
      for (const host of value.clusters[0].hosts) host.cpu.coreCount = 1;
    },
    "tasks_fit",
    "reserves 4 cores",
  ],
  [
    "an experiment whose workload is elsewhere",
    "experiment_policy.json",
    (value) => value.workloads[0].pathToFile = "elsewhere",
    "experiments",
    `there is no "elsewhere"`,
  ],
  [
    "an experiment with the scaling policy that never ends",
    "experiment_policy.json",
    (value) => value.workloads[0].scalingPolicy = "Perfect",
    "experiments",
    "Perfect never ends",
  ],
  [
    "an SDK experiment with a filter of the older form",
    "sdk/policy.json",
    (value) => value.allocationPolicies[0].filters[0].type = "Compute",
    "sdk_experiments",
    "policy.json: filter Compute is unknown",
  ],
  [
    "an SDK experiment whose interval has no unit",
    "sdk/replay-cloud1.json",
    (value) => value.exportModels[0].exportInterval = 1,
    "sdk_experiments",
    "exportInterval 1 without a unit is ms",
  ],
  [
    "an SDK experiment that imports what is not there",
    "sdk/policy.json",
    (value) => value.topologies[0].importFrom = "small_datacenter.json",
    "sdk_experiments",
    'there is no "small_datacenter.json" to import',
  ],
  [
    "an SDK topology with memory as the older form has it",
    "sdk/topology-policy.json",
    (value) => value.clusters[0].hosts[0].memory = { memorySize: "16 GiB" },
    "sdk_experiments",
    "memory has unknown keys: memorySize",
  ],
  [
    "a manifest of other files",
    "manifest.json",
    (value) => value.outputs[0].sha256 = "0",
    "manifest",
    "fragments.parquet is not the file that was exported",
  ],
  [
    "a manifest that is none",
    "manifest.json",
    (value) => delete value.tasks,
    "manifest",
    `field "tasks"`,
  ],
];

for (const [name, file, spoil, id, reason] of SPOILED) {
  Deno.test(`verifyOpendc() refuses an export with ${name}`, async () => {
    await using folder = await tempFolder();
    const { input } = await exported(folder.path);
    await editJson(join(input, file), spoil);
    const report = await verifyOpendc({ input });
    // Every edited file also is another one than that of the manifest.
    assertEquals(new Set(failuresOf(report)), new Set([id, "manifest"]));
    assert(reasonOf(report, id).includes(reason), reasonOf(report, id));
  });
}

Deno.test("verifyOpendc() finds any file of an export that was edited", async () => {
  await using folder = await tempFolder();
  const { input } = await exported(folder.path);
  const { files } = JSON.parse(await Deno.readTextFile(join(input, "manifest.json")));
  for (const name of files.filter((one: string) => one !== "manifest.json")) {
    const bytes = await Deno.readFile(join(input, name));
    await Deno.writeFile(join(input, name), new Uint8Array([...bytes, 0x20]));
    const report = await verifyOpendc({ input }).catch((error: Error) => error);
    const said = report instanceof Error ? report.message : reasonOf(report, "manifest");
    assert(said.includes(name), `${name}: ${said}`);
    await Deno.writeFile(join(input, name), bytes);
  }
});

Deno.test("verifyOpendc() refuses an export whose replay lacks a host", async () => {
  await using folder = await tempFolder();
  const { input } = await exported(folder.path);
  await Deno.remove(join(input, "replay", "cloud2"), { recursive: true });
  const report = await verifyOpendc({ input });
  assertEquals(failuresOf(report), ["sdk_experiments", "manifest", "replay"]);
});

Deno.test("verifyOpendc() refuses an export of another run", async () => {
  await using folder = await tempFolder();
  const { input, cts } = await exported(folder.path);
  const path = join(cts, "cloud1", "CTS", "proc_metrics.jsonl");
  const text = await Deno.readTextFile(path);
  await Deno.writeTextFile(path, text.replace('"cpu_ms":200}', '"cpu_ms":199}'));
  const lost = await verifyOpendc({ input, cts });
  assertEquals(failuresOf(lost), ["conservation"]);
  assert(reasonOf(lost, "conservation").includes("t1: 1500"), reasonOf(lost, "conservation"));
  await Deno.writeTextFile(path, text);
  const invocations = join(cts, "cloud1", "CTS", "invocations.jsonl");
  const [first = ""] = (await Deno.readTextFile(invocations)).split("\n");
  await Deno.writeTextFile(
    invocations,
    `${first.replaceAll("a".repeat(32), "1".repeat(32))}\n`,
    { append: true },
  );
  assertEquals(failuresOf(await verifyOpendc({ input, cts })), ["account"]);
});
