/**
 * CPU time of requests to a service behind the HTTP adapter: what each got in each interval, and what
 * the service used with no request open.
 *
 * A request's CPU time is a share of its service's and no process's own, so that nothing is left to be
 * spread: its rows are the shares that its intervals name, and the rest up to its total behind the last.
 *
 * @module
 */

import { SERVICE_CPU, type ServiceCpu } from "../../trace/records.ts";
import { msToUs } from "../../trace/units.ts";
import type { Attempt } from "./attempts.ts";
import { readCounted } from "./counted_records.ts";
import type { RowFiles } from "./rows.ts";
import type { LineCounts } from "./raw_samples.ts";
import { bootUsOf, type RunClock } from "./run_clock.ts";

/** What the services of a node used. */
export interface ServiceTotals {
  /** All of it, ms. */
  readonly cpuMs: number;
  /** Part of it with no request open, ms. */
  readonly backgroundMs: number;
  /** Part of it that went to requests that left no event, ms. */
  readonly unknownMs: number;
  /** Lines of the file; null: there is none. */
  readonly lines: LineCounts | null;
}

/** What {@linkcode readServiceShares} works with. */
export interface ServiceShareOptions {
  /** The attempts of the run. */
  readonly attempts: readonly Attempt[];
  /** The timeline. */
  readonly clock: RunClock;
  /** Takes the rows. */
  readonly sink: RowFiles;
}

/** Rows held before they are written: 2 MB. A busy service has a million requests. */
const ROWS_PER_FLUSH = 10_000;

/** A sum in ms, given out in whole µs so that the parts sum to the whole. */
class WholeMicroseconds {
  #sumMs = 0;
  #givenUs = 0;

  /** `ms` more: the whole µs that are due now. */
  add(ms: number): number {
    this.#sumMs += ms;
    return this.upTo(msToUs(this.#sumMs));
  }

  /** What is missing to `totalUs`. */
  upTo(totalUs: number): number {
    const dueUs = totalUs - this.#givenUs;
    this.#givenUs = totalUs;
    return dueUs;
  }
}

/** A request and how far its rows go. */
interface Request {
  readonly attempt: Attempt;
  readonly sum: WholeMicroseconds;
  /** End of its last row, µs. */
  lastUs: number;
}

/** Write the rows of every request with a share, and of the background; their accounts are finished then. */
export async function readServiceShares(
  path: string,
  { attempts, clock, sink }: ServiceShareOptions,
): Promise<ServiceTotals> {
  const requests = new Map<string, Request>();
  for (const attempt of attempts) {
    const { event, account } = attempt;
    if (event.cpu_source !== "shared" || account.startUs === -Infinity) continue;
    const sum = new WholeMicroseconds();
    requests.set(event.span_id, { attempt, sum, lastUs: account.startUs });
  }
  let cpuMs = 0;
  let backgroundMs = 0;
  let unknownMs = 0;
  const background = new WholeMicroseconds();
  const lines = await readCounted(path, SERVICE_CPU.decode, (line) => {
    const atUs = timeOf(line, clock);
    cpuMs += line.cpu_ms;
    backgroundMs += line.background_ms;
    const backgroundUs = background.add(line.background_ms);
    if (backgroundUs > 0) {
      const row = { endUs: atUs, dtUs: msToUs(line.dt_ms), cpuUs: backgroundUs, rssKb: -1 };
      sink.shared(null, row);
    }
    for (const [spanId, shareMs] of Object.entries(line.shares)) {
      const request = requests.get(spanId);
      if (request === undefined) unknownMs += shareMs;
      else writeRow(request, { atUs, cpuUs: request.sum.add(shareMs), sink });
    }
  });
  let rows = 0;
  for (const request of requests.values()) {
    const { account } = request.attempt;
    const restUs = request.sum.upTo(account.cpuUs ?? 0);
    if (restUs > 0 || account.rows === 0) {
      writeRow(request, { atUs: account.endUs, cpuUs: restUs, sink });
    }
    account.isFinished = true;
    if (++rows % ROWS_PER_FLUSH === 0) await sink.flush();
  }
  return { cpuMs, backgroundMs, unknownMs, lines };
}

function writeRow(
  request: Request,
  { atUs, cpuUs, sink }: { readonly atUs: number; readonly cpuUs: number; readonly sink: RowFiles },
): void {
  const { account } = request.attempt;
  // A clock that was set back between the two files must not make a row of negative length.
  const endUs = Math.max(request.lastUs, Math.min(atUs, account.endUs));
  sink.shared(request.attempt, { endUs, dtUs: endUs - request.lastUs, cpuUs, rssKb: -1 });
  account.rows++;
  account.rowsUs += cpuUs;
  account.seenUs += cpuUs;
  request.lastUs = endUs;
}

function timeOf({ ts_ms, boot_ms }: ServiceCpu, clock: RunClock): number {
  return clock.toUs({ tsUs: msToUs(ts_ms), bootUs: bootUsOf(boot_ms) });
}
