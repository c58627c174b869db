import { assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ExportError } from "../../../export/opendc/input.ts";
import { exportOpendc } from "../../../export/opendc/export.ts";
import { calibratePower } from "../../../export/power/calibrate.ts";
import { readPower } from "../../../export/power/power_file.ts";
import { verifyOpendc } from "../../../export/verify/verify.ts";
import {
  ctsInvocation,
  ctsNode,
  ctsRow,
  RUN_START_MS as T,
  writeCts,
} from "../../support/cts_run.ts";
import { failuresOf } from "../../support/small_workload.ts";
import { tempFolder } from "../../support/temp_folder.ts";

const CORES = 4;

/** A node whose load rises from 0 to all cores within a minute, and a meter of 100 + 100 u W. */
async function writeRun(root: string): Promise<{ run: string; meter: string }> {
  const run = join(root, "run");
  const meter = join(root, "meter.csv");
  const seconds = Array.from({ length: 60 }, (_, at) => at);
  await writeCts(run, {
    nodes: [ctsNode({ node_id: "n", cpu_cores: CORES })],
    invocations: [
      ctsInvocation({ trace_id: "t", task_id: "t", node: "n", ts_start: T, ts_end: T + 60_000 }),
    ],
    rows: seconds.map((at) =>
      ctsRow({
        trace_id: "t",
        ts_ms: T + (at + 1) * 1000,
        dt_ms: 1000,
        cpu_ms: CORES * 1000 * at / 60,
      })
    ),
  });
  const lines = [-1, ...seconds].map((at) =>
    `${new Date(T + (at + 1) * 1000).toISOString()},n,${100 + 100 * Math.max(0, at) / 60}`
  );
  await Deno.writeTextFile(meter, ["timestamp,node,watts", ...lines].join("\n") + "\n");
  return { run, meter };
}

Deno.test("calibratePower() finds the model of a machine, and the export takes it", async () => {
  await using root = await tempFolder();
  const { run, meter } = await writeRun(root.path);
  const file = await calibratePower({ run, meter });
  const [machine] = file.machines;
  assertEquals(machine?.nodes, ["n"]);
  assertEquals(machine?.readings.length, 60);
  const linear = machine?.models.find(({ model }) => model.modelType === "linear");
  assertAlmostEquals(linear?.model.idlePower ?? NaN, 100, 1e-6);
  assertAlmostEquals(linear?.model.maxPower ?? NaN, 200, 1e-6);
  assertAlmostEquals(machine?.best.cv_mape ?? NaN, 0, 1e-6);

  const path = join(root.path, "power.json");
  await Deno.writeTextFile(path, JSON.stringify(file));
  const output = join(root.path, "out");
  await exportOpendc({ input: run, output, version: "test", power: await readPower(path) });
  const topology = JSON.parse(await Deno.readTextFile(join(output, "small_datacenter.json")));
  assertEquals(topology.clusters[0].hosts[0].cpuPowerModel, machine?.best.model);
  const sdk = JSON.parse(await Deno.readTextFile(join(output, "sdk", "topology-policy.json")));
  assertEquals(sdk.clusters[0].hosts[0].cpuPowerModel.type, machine?.best.model.modelType);
  assertEquals(failuresOf(await verifyOpendc({ input: output })), []);
});

const WRONG: readonly (readonly [string, string, string])[] = [
  ["other columns", "time,node,watts\n1,n,100\n", "columns timestamp, node, watts are required"],
  ["a power of 0", "timestamp,node,watts\n1,n,0\n", ":2: a time, a node and a power above 0 W"],
  ["a node of another run", "timestamp,node,watts\n1,other,100\n", "got other"],
  [
    "too few readings",
    "timestamp,node,watts\n1,n,100\n2,n,100\n",
    "20 readings are required, got 1",
  ],
];

for (const [what, text, message] of WRONG) {
  Deno.test(`calibratePower() refuses a meter with ${what}`, async () => {
    await using root = await tempFolder();
    const { run, meter } = await writeRun(root.path);
    await Deno.writeTextFile(meter, text);
    await assertRejects(() => calibratePower({ run, meter }), ExportError, message);
  });
}
