/** Sources of schedulers, made by hand from the published descriptions of their formats. */

import { type ImportCase, T0, table } from "./import_case.ts";

/** The cases. */
export const SCHEDULER_CASES: readonly ImportCase[] = [
  {
    format: "slurm",
    what: "sacct --parsable2 with steps, an array and a job on two hosts",
    files: {
      "sacct.txt": [
        "JobID|JobName|Partition|State|ExitCode|Submit|Start|End|AllocCPUS|NodeList|TotalCPU|MaxRSS",
        "7_1|a|main|COMPLETED|0:0|2024-01-02T12:00:00|2024-01-02T12:00:05|2024-01-02T12:01:05|2|n01|01:30.500|",
        "7_1.batch|batch||COMPLETED|0:0|2024-01-02T12:00:05|2024-01-02T12:00:05|2024-01-02T12:01:05|2|n01|01:30.500|2048K",
        "8|b|main|CANCELLED by 1000|0:15|2024-01-02T12:00:01|2024-01-02T12:00:06|2024-01-02T12:00:16|4|n[01-02]|00:08|",
        "9|c|main|PENDING|0:0|2024-01-02T12:00:02|Unknown|Unknown|1|None assigned||",
        "",
      ].join("\n"),
    },
    invocations: [
      {
        trace_id: "7_1",
        node: "n01",
        profile: "main",
        ts_enqueue: T0,
        ts_start: T0 + 5000,
        ts_end: T0 + 65_000,
        cpu_units: 2,
        cpu_ms: 90_500,
        max_rss_kb: 2048,
        state: "done",
        status: 0,
        origin: "imported",
      },
      {
        trace_id: "8@n01",
        node: "n01",
        cpu_units: 2,
        cpu_ms: 4000,
        state: "cancelled",
        status: 143,
      },
      { trace_id: "8@n02", node: "n02", cpu_units: 2, cpu_ms: 4000 },
      { trace_id: "9", node: "cluster", state: "running", ts_start: null, ts_end: null },
    ],
    nodes: [{ node_id: "cluster" }, { node_id: "n01", cpu_cores: 4 }, {
      node_id: "n02",
      cpu_cores: 2,
    }],
    notes: "whole seconds",
  },
  {
    format: "slurm",
    what: "jobs and nodes as JSON, numbers plain and wrapped",
    files: {
      "jobs.json": JSON.stringify({
        jobs: [{
          job_id: 12,
          array: { job_id: 10, task_id: { set: true, infinite: false, number: 2 } },
          state: { current: ["COMPLETED"] },
          time: {
            submission: T0 / 1000,
            start: T0 / 1000 + 1,
            end: T0 / 1000 + 3,
            total: { seconds: 1, microseconds: 500_000 },
          },
          exit_code: { return_code: { set: true, number: 0 }, signal: { id: { set: false } } },
          nodes: "n1",
          partition: "p",
          tres: { allocated: [{ type: "cpu", count: 1 }] },
          steps: [{ tres: { requested: { max: [{ type: "mem", count: 1048576 }] } } }],
        }],
      }),
      "nodes.json": JSON.stringify({ nodes: [{ name: "n1", cpus: 8, real_memory: 1024 }] }),
    },
    invocations: [{
      trace_id: "10_2",
      ts_enqueue: T0,
      ts_start: T0 + 1000,
      ts_end: T0 + 3000,
      cpu_ms: 1500,
      max_rss_kb: 1024,
      cpu_units: 1,
      status: 0,
    }],
    nodes: [{ node_id: "n1", cpu_cores: 8, mem_kb_exact: 1024 * 1024 }],
  },
  {
    format: "slurm",
    what: "jobcomp/filetxt",
    files: {
      "jobcomp.log":
        "JobId=3 UserId=u(1) JobState=FAILED Partition=p StartTime=2024-01-02T12:00:01 " +
        "EndTime=2024-01-02T12:00:02 NodeList=n1 NodeCnt=1 ProcCnt=2 SubmitTime=2024-01-02T12:00:00 ExitCode=3:0 \n",
    },
    invocations: [{ trace_id: "3", state: "failed", status: 3, cpu_units: 2, cpu_ms: null }],
    nodes: [{ node_id: "n1", cpu_cores: 2 }],
  },
  {
    format: "nextflow",
    what: "a trace with units, a cached task and missing values",
    files: {
      "trace.txt": table(
        "\t",
        "task_id hash name status exit submit duration realtime %cpu peak_rss rchar",
        "1 aa FASTQC~(s1) COMPLETED 0 2024-01-02~12:00:00.000 10s 8s 150.0% 1.5~MB 2~MB",
        "2 bb ALIGN FAILED 1 2024-01-02~12:00:01.000 2s - - - -",
        "3 cc OLD CACHED 0 - - - - - -",
      ),
    },
    invocations: [
      {
        trace_id: "1",
        profile: "FASTQC",
        ts_enqueue: T0,
        ts_start: T0 + 2000,
        ts_end: T0 + 10_000,
        cpu_ms: 12_000,
        max_rss_kb: 1536,
      },
      {
        trace_id: "2",
        state: "failed",
        status: 1,
        ts_start: null,
        ts_end: T0 + 3000,
        cpu_ms: null,
      },
    ],
    nodes: [{ node_id: "cluster", cpu_cores: 1 }],
    notes: "taken from the cache, it did not run: 1",
  },
  {
    format: "gnu-parallel",
    what: "a job log",
    files: {
      "jobs.log": table(
        "\t",
        "Seq Host Starttime JobRuntime Send Receive Exitval Signal Command",
        `1 : ${T0 / 1000}.5 1.250 0 0 0 0 true`,
        `2 vm2 ${T0 / 1000}.0 2.000 0 0 0 9 sleep~9`,
      ),
    },
    invocations: [
      {
        trace_id: "1",
        node: "local",
        ts_start: T0 + 500,
        ts_end: T0 + 1750,
        state: "done",
        status: 0,
      },
      { trace_id: "2", node: "vm2", state: "failed", status: 137, cpu_units: null },
    ],
    nodes: [{ node_id: "local" }, { node_id: "vm2" }],
  },
  {
    format: "hyperqueue",
    what: "a journal with a finished, a failed and a running task",
    files: {
      "journal.json": [
        {
          time: "2024-01-02T12:00:00.000000Z",
          event: {
            type: "worker-connected",
            id: 1,
            configuration: {
              hostname: "w1",
              resources: { resources: [{ name: "cpus", kind: { List: { values: ["0", "1"] } } }] },
            },
          },
        },
        {
          time: "2024-01-02T12:00:01Z",
          event: {
            type: "job-created",
            job: 1,
            job_desc: { name: "j" },
            submit_desc: {
              task_desc: {
                resources: {
                  variants: [{ resources: [{ resource: "cpus", policy: { Compact: 20000 } }] }],
                },
              },
            },
          },
        },
        {
          time: "2024-01-02T12:00:02Z",
          event: { type: "task-started", job: 1, task: 0, instance: 0, worker: 1 },
        },
        { time: "2024-01-02T12:00:04Z", event: { type: "task-finished", job: 1, task: 0 } },
        {
          time: "2024-01-02T12:00:04Z",
          event: { type: "task-started", job: 1, task: 1, instance: 1, worker: 1 },
        },
        {
          time: "2024-01-02T12:00:05Z",
          event: { type: "task-failed", job: 1, task: 1, error: "x" },
        },
        {
          time: "2024-01-02T12:00:06Z",
          event: { type: "task-started", job: 1, task: 2, instance: 0, worker: 1 },
        },
      ].map((one) => `${JSON.stringify(one)}\n`).join(""),
    },
    invocations: [
      {
        trace_id: "1_0",
        attempt: 1,
        node: "w1",
        profile: "j",
        ts_enqueue: T0 + 1000,
        ts_start: T0 + 2000,
        ts_end: T0 + 4000,
        cpu_units: 2,
        state: "done",
      },
      { trace_id: "1_1", attempt: 2, span_id: "1_1#2", state: "failed" },
      { trace_id: "1_2", state: "running", ts_end: null },
    ],
    nodes: [{ node_id: "w1", cpu_cores: 2 }],
  },
];
