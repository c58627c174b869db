/** Views over the tables of runs, for the questions that are asked of every run. Pure. */

/** A view. */
export interface View {
  /** Its name. */
  readonly name: string;
  /** What one row is. */
  readonly doc: string;
  /** The query, over the tables. */
  readonly sql: string;
}

/** Jain's index of a column: 1 where all have the same, 1/n where one has everything. */
function jain(column: string): string {
  return `sum(${column}) ** 2 / (count(${column}) * sum(${column} ** 2))`;
}

/** The views, in the order in which documents list them. */
export const VIEWS: readonly View[] = [
  {
    name: "waits_by_profile",
    doc: "Waits of the tasks of one profile, ms, and the means of their parts.",
    sql: `SELECT run, profile, count(wait_ms) AS tasks,
        quantile_cont(wait_ms, 0.5) AS p50_ms, quantile_cont(wait_ms, 0.95) AS p95_ms,
        quantile_cont(wait_ms, 0.99) AS p99_ms, max(wait_ms) AS max_ms,
        avg(queue_ms) AS queue_mean_ms, avg(placement_ms) AS placement_mean_ms,
        avg(launch_ms) AS launch_mean_ms
      FROM tasks GROUP BY run, profile ORDER BY run, profile`,
  },
  {
    name: "used_against_reserved",
    doc: "vCPU time reserved by the tasks of one profile, and CPU time that they used.",
    sql: `SELECT run, profile, count(*) AS tasks, sum(cpu_reserved_ms) / 1000 AS reserved_vcpu_s,
        sum(cpu_ms) / 1000 AS used_cpu_s, sum(cpu_ms) / sum(cpu_reserved_ms) AS used_ratio
      FROM tasks WHERE cpu_reserved_ms IS NOT NULL AND cpu_ms IS NOT NULL
      GROUP BY run, profile ORDER BY run, profile`,
  },
  {
    name: "node_utilisation",
    doc: "One node in one interval: shares of its vCPUs reserved and of its cores used.",
    sql: `SELECT c.run, c.node, c.ts_ms, c.dt_ms, c.offered_units, c.reserved_units, c.used_cores,
        c.reserved_units / nullif(c.offered_units, 0) AS reserved_ratio,
        c.used_cores / n.cpu_cores AS used_ratio, c.running, c.starting, c.queued
      FROM capacity AS c LEFT JOIN nodes AS n ON n.run = c.run AND n.node_id = c.node
      ORDER BY c.run, c.node, c.ts_ms`,
  },
  {
    name: "slowdowns",
    doc: "Slowdowns of the tasks of one profile; bounded: run times below 10 s count as 10 s.",
    sql: `SELECT run, profile, count(slowdown) AS tasks, avg(slowdown) AS mean,
        quantile_cont(slowdown, 0.5) AS p50, quantile_cont(slowdown, 0.95) AS p95,
        max(slowdown) AS max,
        avg(greatest(1, (wait_ms + run_ms) / greatest(run_ms, 10000))) AS bounded_mean
      FROM tasks GROUP BY run, profile ORDER BY run, profile`,
  },
  {
    name: "fairness",
    doc: "Jain's index of one measure: 1 where all have the same, 1/n where one has everything.",
    sql: `SELECT run, 'slowdown of tasks' AS measure, count(slowdown) AS n, ${
      jain("slowdown")
    } AS jain
        FROM tasks GROUP BY run
      UNION ALL SELECT run, 'wait of tasks', count(wait_ms), ${jain("wait_ms")}
        FROM tasks GROUP BY run
      UNION ALL SELECT run, 'use of reservations', count(used_ratio), ${jain("used_ratio")}
        FROM tasks GROUP BY run
      UNION ALL SELECT run, 'mean slowdown of profiles', count(mean), ${jain("mean")}
        FROM slowdowns GROUP BY run
      ORDER BY run, measure`,
  },
];
