/** Sources of archives, made by hand from the published descriptions of their formats. */

import { type ImportCase, T0 } from "./import_case.ts";

const AZURE_ID = "x".repeat(44);

/** The cases. */
export const ARCHIVE_CASES: readonly ImportCase[] = [
  {
    format: "swf",
    what: "a log with its header, -1 for what is missing, and a short line",
    files: {
      "small.swf": [
        `; Version: 2.2`,
        `; UnixStartTime: ${T0 / 1000}`,
        `; MaxProcs: 64`,
        "1 0 5 10 4 2.5 100 4 60 -1 1 3 1 -1 2 -1 -1 -1",
        "2 3 -1 -1 -1 -1 -1 8 60 -1 5 3 1 -1 -1 -1 1 10",
        "3 4 5",
        "",
      ].join("\n"),
    },
    invocations: [
      {
        trace_id: "1",
        profile: "queue2",
        ts_enqueue: T0,
        ts_start: T0 + 5000,
        ts_end: T0 + 15_000,
        cpu_units: 4,
        cpu_ms: 10_000,
        max_rss_kb: 400,
        parents: null,
      },
      { trace_id: "2", state: "cancelled", ts_start: null, cpu_units: 8, parents: ["1"] },
    ],
    nodes: [{ node_id: "cluster", cpu_cores: 64 }],
    notes: "names no hosts",
  },
  {
    format: "wfformat",
    what: "an instance of two tasks",
    files: {
      "w.json": JSON.stringify({
        name: "w",
        schemaVersion: "1.5",
        workflow: {
          specification: {
            tasks: [
              { name: "split_ID1", id: "split_ID1", parents: [], children: ["join_ID2"] },
              { name: "join_ID2", id: "join_ID2", parents: ["split_ID1"], children: [] },
            ],
          },
          execution: {
            makespanInSeconds: 3,
            executedAt: "2024-01-02T12:00:00Z",
            tasks: [
              {
                id: "split_ID1",
                runtimeInSeconds: 1,
                executedAt: "2024-01-02T12:00:00Z",
                coreCount: 2,
                avgCPU: 150,
                memoryInBytes: 2048,
                machines: ["m1"],
              },
              {
                id: "join_ID2",
                runtimeInSeconds: 2,
                executedAt: "2024-01-02T12:00:01Z",
                machines: ["m1"],
              },
            ],
            machines: [{
              nodeName: "m1",
              cpu: { coreCount: 4, speedInMHz: 2100 },
              memoryInBytes: 1073741824,
            }],
          },
        },
      }),
    },
    invocations: [
      {
        trace_id: "split_ID1",
        profile: "split",
        cpu_ms: 1500,
        cpu_units: 2,
        max_rss_kb: 2,
        parents: [],
      },
      {
        trace_id: "join_ID2",
        ts_start: T0 + 1000,
        ts_end: T0 + 3000,
        cpu_ms: null,
        parents: ["split_ID1"],
      },
    ],
    nodes: [{ node_id: "m1", cpu_cores: 4, cpu_freq_mhz: 2100, mem_kb_exact: 1048576 }],
  },
  {
    format: "google2019",
    what: "events, usage and machines",
    cpuScale: 10,
    files: {
      "events.csv": [
        "time,type,collection_id,instance_index,machine_id,resource_request.cpus",
        "600000000,0,5,0,,0.25",
        "601000000,3,5,0,77,0.25",
        "603000000,4,5,0,77,0.25",
        "604000000,0,5,0,,0.25",
        "605000000,3,5,0,77,0.25",
        "609000000,6,5,0,77,0.25",
        "",
      ].join("\n"),
      "usage.json": `${
        JSON.stringify({
          start_time: "605000000",
          end_time: "607000000",
          collection_id: "5",
          instance_index: "0",
          machine_id: "77",
          average_usage: { cpus: 0.1 },
        })
      }\n`,
      "machines.csv": "time,machine_id,type,capacity.cpus\n0,77,1,0.8\n",
    },
    invocations: [
      { trace_id: "5-0", attempt: 1, state: "failed", node: "m77", cpu_units: 3 },
      { trace_id: "5-0", attempt: 2, state: "done", span_id: "5-0#2" },
    ],
    nodes: [{ node_id: "m77", cpu_cores: 8 }],
    samples: [["5-0", 2000, 2000]],
  },
  {
    format: "azure",
    what: "a VM, its readings, and a reading of an unknown VM",
    files: {
      "vmtable.csv": `${AZURE_ID},s,d,0,600,80,25,70,Interactive,4,16\n`,
      "readings.csv": `300,${AZURE_ID},1,50,20\n600,${AZURE_ID},1,50,30\n600,${
        "y".repeat(44)
      },1,2,3\n`,
    },
    invocations: [{
      trace_id: AZURE_ID,
      profile: "Interactive",
      cpu_units: 4,
      cpu_ms: 600_000,
      ts_end: 600_000,
      max_rss_kb: 16 * 1024 * 1024,
    }],
    nodes: [{ node_id: "cluster", cpu_cores: 4 }],
    samples: [[AZURE_ID, 240_000, 300_000], [AZURE_ID, 360_000, 300_000]],
    notes: "not in vmtable: 1",
  },
  {
    format: "bitbrains",
    what: "a VM of three readings",
    files: {
      "1.csv": [
        "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%];\tMemory capacity provisioned [KB];\tMemory usage [KB]",
        `${T0 / 1000};\t2;\t5200;\t520;\t10.0;\t4194304;\t1000`,
        `${T0 / 1000 + 300};\t2;\t5200;\t520;\t10.0;\t4194304;\t3000`,
        `${T0 / 1000 + 600};\t2;\t5200;\t1040;\t20.0;\t4194304;\t2000`,
        "",
      ].join("\n"),
    },
    invocations: [{
      trace_id: "1",
      ts_start: T0,
      ts_end: T0 + 600_000,
      cpu_units: 2,
      cpu_ms: 180_000,
      max_rss_kb: 3000,
    }],
    nodes: [{ node_id: "cluster", cpu_cores: 2 }],
    samples: [["1", 60_000, 300_000], ["1", 120_000, 300_000]],
  },
];
