/** Verify an OpenDC workload. */

import { resolve } from "@std/path";
import { verifyOpendc, type VerifyReport } from "../export/verify/verify.ts";
import type { WorkloadFound } from "../export/verify/read.ts";
import type { Parsed } from "./command/parse.ts";
import { type Io, runMain } from "./command/main.ts";
import { VERIFY_OPENDC, workloadFolder } from "./flags/verify_opendc.ts";

/** `deno task verify-opendc`. */
export async function main(
  { options }: Parsed<typeof VERIFY_OPENDC.flags>,
  io: Io,
): Promise<number> {
  const input = workloadFolder(options);
  const cts = options.cts === null ? null : resolve(options.cts);
  const report = await verifyOpendc({ input, cts });
  if (options.json) io.print(JSON.stringify(report));
  else for (const line of describeReport(report)) io.print(line);
  return report.ok ? 0 : 1;
}

/** A report, line by line: what was found, then the checks. */
function describeReport({ found, checks, ok }: VerifyReport): string[] {
  const width = Math.max(...checks.map(({ id }) => id.length));
  const failures = checks.filter(({ status }) => status === "fail").length;
  return [
    ...(found === null ? [] : describeFound(found)),
    ...checks.map(({ id, status, reason }) =>
      `${status.toUpperCase()}  ${id.padEnd(width)}  ${reason}`
    ),
    ok ? "PASS" : `FAIL: ${failures} of ${checks.length} checks`,
  ];
}

function describeFound(found: WorkloadFound): string[] {
  const [first, last] = found.submission_ms.map((tsMs) => new Date(tsMs).toISOString());
  return [
    `${found.tasks} tasks, ${found.fragments} fragments`,
    `submitted ${first} to ${last}; ${(found.span_ms / 1000).toFixed(3)} s to the last end if ` +
    `nothing waited`,
    `run time ${range(found.duration_ms)} ms, vCPUs ${range(found.cpu_count)}, ` +
    `capacity ${range(found.capacity_mhz)} MHz, memory ${range(found.memory_mib)} MiB`,
    `demand ${number(found.mean_mhz)} MHz on average, ${number(found.peak_mhz)} MHz at most`,
    `${found.codecs.join(", ")}, written by ${found.created_by ?? "an unnamed program"}`,
  ];
}

function range([least, most]: readonly [number, number]): string {
  return least === most ? number(least) : `${number(least)} to ${number(most)}`;
}

/** At most three decimals: a millisecond of a second, a kHz of a MHz. */
function number(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

if (import.meta.main) await runMain(VERIFY_OPENDC, main);
