/** Sources of monitors, made by hand from the published descriptions of their formats. */

import { type ImportCase, T0 } from "./import_case.ts";

/** The cases. */
export const MONITOR_CASES: readonly ImportCase[] = [
  {
    format: "prometheus",
    what: "a counter that begins again, its memory, and a metric without a counterpart",
    files: {
      "range.json": JSON.stringify({
        status: "success",
        data: {
          resultType: "matrix",
          result: [
            {
              metric: {
                __name__: "container_cpu_usage_seconds_total",
                pod: "p",
                container: "c",
                instance: "n1:9100",
              },
              values: [[T0 / 1000, "10"], [T0 / 1000 + 15, "16"], [T0 / 1000 + 30, "3"]],
            },
            {
              metric: {
                __name__: "container_memory_rss",
                pod: "p",
                container: "c",
                instance: "n1:9100",
              },
              values: [[T0 / 1000 + 15, "2048"]],
            },
            { metric: { __name__: "up" }, values: [] },
          ],
        },
      }),
    },
    invocations: [{
      trace_id: "n1/p/c",
      node: "n1",
      profile: "c",
      cpu_ms: 9000,
      max_rss_kb: 2,
      ts_end: T0 + 30_000,
    }],
    nodes: [{ node_id: "n1" }],
    samples: [["n1/p/c", 6000, 15_000], ["n1/p/c", 3000, 15_000]],
    notes: "series of up: 1",
  },
  {
    format: "sysstat",
    what: "pidstat -h -H -u -r",
    files: {
      "pidstat.txt": [
        "Linux 6.1.0 (vm1) \t01/02/24 \t_x86_64_\t(4 CPU)",
        "",
        "# Time        UID       PID    %usr %system  %guest   %wait    %CPU   CPU  minflt/s  majflt/s     VSZ     RSS   %MEM  Command",
        `${T0 / 1000}  0  42  50.00  0.00  0.00  0.00  50.00  0  1.0  0.0  1000  500  0.1  ffmpeg`,
        "",
        `${
          T0 / 1000 + 2
        }  0  42  150.00  0.00  0.00  0.00  150.00  0  1.0  0.0  1000  900  0.1  ffmpeg`,
        "",
      ].join("\n"),
    },
    invocations: [{
      trace_id: "ffmpeg-42",
      node: "vm1",
      profile: "ffmpeg",
      cpu_ms: 3000,
      max_rss_kb: 900,
      ts_start: T0,
      ts_end: T0 + 2000,
    }],
    nodes: [{ node_id: "vm1", cpu_cores: 4 }],
    samples: [["ffmpeg-42", 3000, 2000]],
  },
  {
    format: "sysstat",
    what: "sadf -j of a whole host",
    files: {
      "sadf.json": JSON.stringify({
        sysstat: {
          hosts: [{
            nodename: "vm1",
            "number-of-cpus": 2,
            statistics: [0, 10].map((second) => ({
              timestamp: {
                date: "2024-01-02",
                time: `12:00:${String(second).padStart(2, "0")}`,
                utc: 1,
                interval: 10,
              },
              "cpu-load": [{ cpu: "all", user: 20, idle: 75, iowait: 0 }],
              memory: { memused: 1000 + second },
            })),
          }],
        },
      }),
    },
    invocations: [{
      trace_id: "vm1",
      node: "vm1",
      profile: "host",
      cpu_ms: 5000,
      max_rss_kb: 1010,
    }],
    nodes: [{ node_id: "vm1", cpu_cores: 2 }],
    samples: [["vm1", 5000, 10_000]],
  },
];
