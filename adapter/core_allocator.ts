/**
 * Which cores a task gets in exclusive mode. Pure: the caller keeps what was given.
 *
 * @module
 */

/** What a task asks for. */
export interface CoreRequest {
  /** vCPUs. */
  readonly units: number;
  /** CPUs that the task itself names; null: any. */
  readonly explicit: readonly number[] | null;
}

/** The cores that a task gets. */
export interface CoreGrant {
  /** Ascending. */
  readonly cpus: readonly number[];
  /** True when another task has one of them. */
  readonly isShared: boolean;
}

/**
 * Choose cores among `cpus`, of which each is taken by `loads` tasks: free ones, in one run of
 * neighbours where there is one, else the least loaded.
 */
export function chooseCores(
  { units, explicit }: CoreRequest,
  { cpus, loads }: {
    readonly cpus: readonly number[];
    readonly loads: ReadonlyMap<number, number>;
  },
): CoreGrant {
  const load = (cpu: number): number => loads.get(cpu) ?? 0;
  const chosen = explicit ?? leastLoadedRun(cpus, { load, count: Math.min(units, cpus.length) });
  return { cpus: chosen, isShared: chosen.some((cpu) => load(cpu) > 0) };
}

function leastLoadedRun(
  cpus: readonly number[],
  { load, count }: { readonly load: (cpu: number) => number; readonly count: number },
): number[] {
  const runs = cpus.slice(0, cpus.length - count + 1)
    .map((_, start) => cpus.slice(start, start + count))
    .map((run) => ({ run, total: run.reduce((sum, cpu) => sum + load(cpu), 0) }));
  const least = [...cpus].sort((a, b) => load(a) - load(b) || a - b).slice(0, count);
  const leastTotal = least.reduce((sum, cpu) => sum + load(cpu), 0);
  const run = runs.find(({ total }) => total === leastTotal)?.run ?? least;
  return [...run].sort((a, b) => a - b);
}
