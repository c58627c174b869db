/** The central scheduler. */

import { PatientWriter } from "../trace/patient_writer.ts";
import { removeIfThere } from "../trace/atomic_file.ts";
import { runCentral } from "../scheduler/central.ts";
import { PlacementLog } from "../scheduler/placement/log.ts";
import { ResultsDrain } from "../scheduler/results_drain.ts";
import { TIMING } from "../scheduler/queue/timing.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { roleRecord } from "./command/process.ts";
import { openQueue } from "./redis/queue.ts";
import { noteDataLoss } from "./role/loss_record.ts";
import { writeRoleMeta } from "./role/meta.ts";
import { weigherOf } from "./flags/groups/weigher.ts";
import { SCHEDULER, schedulerPlace } from "./flags/scheduler.ts";

/** Run the central scheduler until it is stopped. */
export async function main({ options }: Parsed<typeof SCHEDULER.flags>, io: Io): Promise<number> {
  const weigher = weigherOf(options);
  const place = schedulerPlace(options);
  const { runDir } = place;
  await Deno.mkdir(runDir.path, { recursive: true });
  await writeRoleMeta(SCHEDULER.name, { place, options });
  await using redis = await openQueue(options, io);
  const id = `${place.nodeId}-${Deno.pid}`;
  await using queue = redis.scheduler(id, TIMING);
  using events = PatientWriter.open(runDir.placementEvents, { report: io.say });
  using drain = ResultsDrain.open(runDir.results, queue);
  // Without Redis there is nothing to hand over, and nothing to wait for.
  io.signal.addEventListener("abort", () => {
    if (!redis.isUp) redis[Symbol.asyncDispose]();
  });
  await runCentral(queue, {
    policy: {
      weigher,
      order: options["weigher-order"],
      scanPending: options["scan-pending"],
    },
    scanSlots: options["scan-slots"],
    queuePolicy: {
      pendingKey: options.pending,
      slotsKey: options.slots,
      maxAttempts: options["max-attempts"],
      onLost: options["on-lost"],
    },
    timing: TIMING,
    log: new PlacementLog(events),
    drain,
    onDataLost: () => noteDataLoss(runDir, "scheduler"),
    report: io.say,
    signal: io.signal,
  });
  await removeIfThere(roleRecord(place, SCHEDULER.name));
  return 0;
}

if (import.meta.main) await runMain(SCHEDULER, main);
