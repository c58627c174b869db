/** ts_start and ts_end against the stamps that the task itself takes at its first and last instruction. */

import { assert, assertGreater, assertGreaterOrEqual, assertLess } from "@std/assert";
import { join } from "@std/path";
import { CODE_ARCHITECTURE } from "../../../adapter/start/machine_code.ts";
import { openClock } from "../../../trace/clock.ts";
import type { InvocationEvent } from "../../../trace/records.ts";
import { startAdapter, type TestAdapter } from "../../support/adapter_process.ts";
import { parseStamps, type Stamps, writeStampingProgram } from "../../support/stamping_program.ts";
import { tempFolder } from "../../support/temp_folder.ts";

/** The program is machine code; so is what takes our stamps. Elsewhere they are taken around a spawn. */
const ignore = Deno.build.target !== CODE_ARCHITECTURE;

/** Records have whole µs, rounded to the nearest. */
const ROUNDING_MS = 0.001;

/** Tasks of a kind; half of them must be disturbed before a median is. */
const TASKS = 20;

/** Run `argv` through the adapter: its event, and what `program` printed in it. */
async function trace(
  adapter: TestAdapter,
  argv: readonly string[],
): Promise<{ readonly event: InvocationEvent; readonly stamps: Stamps }> {
  const task = adapter.task({ kind: "command", argv: [...argv] });
  const outcome = await adapter.client.launch(task).outcome;
  assert(outcome.kind === "exited", `${task.task_id} did not run`);
  const log = join(adapter.runDir.taskLogs, `${task.task_id}.1.log`);
  return { event: outcome.event, stamps: parseStamps(await Deno.readFile(log)) };
}

/** How much earlier than its first stamp a start is, and how much later than its last stamp an end. */
function lagsOf(
  { first, last }: Stamps,
  { boot_start_ms, boot_end_ms }: Pick<InvocationEvent, "boot_start_ms" | "boot_end_ms">,
): { readonly startMs: number; readonly endMs: number } {
  const startMs = first.bootMs - (boot_start_ms ?? NaN);
  const endMs = (boot_end_ms ?? NaN) - last.bootMs;
  assertGreaterOrEqual(startMs, -ROUNDING_MS, "it started before its ts_start");
  assertGreaterOrEqual(endMs, -ROUNDING_MS, "it ended after its ts_end");
  return { startMs, endMs };
}

function sorted(values: readonly number[]): number[] {
  return values.toSorted((a, b) => a - b);
}

Deno.test({
  name: "ts_start and ts_end enclose the task closely, whatever else the machine does",
  ignore,
  fn: async () => {
    await using folder = await tempFolder();
    const program = join(folder.path, "stamps");
    await writeStampingProgram(program);
    await using adapter = await startAdapter({ allowed_commands: [program] });
    using clock = openClock();
    const ours: ReturnType<typeof lagsOf>[] = [];
    const bare: typeof ours = [];
    for (let index = 0; index < TASKS; index++) {
      const { event, stamps } = await trace(adapter, [program]);
      ours.push(lagsOf(stamps, event));
      // It has one thread: all that the kernel counted for it must fit between the two.
      const cpuMs = (event.user_ms ?? NaN) + (event.system_ms ?? NaN);
      const lifeMs = (event.boot_end_ms ?? NaN) - (event.boot_start_ms ?? NaN);
      assertGreaterOrEqual(lifeMs + 2 * ROUNDING_MS, cpuMs, "it used more than its life can hold");
      const boot_start_ms = clock.bootMs();
      const { stdout } = new Deno.Command(program, { stdin: "null" }).outputSync();
      bare.push(lagsOf(parseStamps(stdout), { boot_start_ms, boot_end_ms: clock.bootMs() }));
    }
    for (const edge of ["startMs", "endMs"] as const) {
      const [own, other] = [ours, bare].map((lags) => sorted(lags.map((one) => one[edge])));
      // Of so many one meets a quiet moment: what is left is the cost of the stamp itself.
      assertLess(own?.[0] ?? NaN, (other?.[0] ?? NaN) + 1, `the least ${edge}`);
      // On a machine full of work every wake-up waits: so does that of a process without an adapter. A
      // stamp that is taken after files were written, or at a timer, is out of this bound on any machine.
      const middle = TASKS / 2;
      const limitMs = 10 * (other?.[middle] ?? NaN) + 30;
      assertLess(own?.[middle] ?? NaN, limitMs, `the median ${edge}`);
    }
  },
});

Deno.test({
  name: "ts_end is never before the end of a task among many that end together",
  ignore,
  fn: async () => {
    await using folder = await tempFolder();
    const program = join(folder.path, "stamps");
    await writeStampingProgram(program);
    await using adapter = await startAdapter({ allowed_commands: [program, "sh"] });
    const sleeping = [program, "10 ms"];
    // The shell ends first: the end of a task is that of its last process.
    const orphaned = ["sh", "-c", `'${program}' '10 ms' & exit 0`];
    const kinds = Array.from({ length: TASKS }, () => [sleeping, orphaned]).flat();
    const traced = await Promise.all(kinds.map((argv) => trace(adapter, argv)));
    const lives = traced.map(({ event, stamps }) => {
      lagsOf(stamps, event);
      return stamps.last.bootMs - stamps.first.bootMs;
    });
    assertGreater(sorted(lives)[0], 9, "it slept");
  },
});
