import { countMark } from "../../../export/report/axes.ts";
import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { quantileDifference } from "../../../export/report/intervals.ts";
import { usageBins } from "../../../export/report/usage.ts";
import { knownRun, reportOn, runParts, taskFacts } from "../../support/report_run.ts";

Deno.test("makeReport() has the figures of a known run", async () => {
  const { json } = await reportOn(knownRun());
  const [run] = json.runs;
  assert(run !== undefined);
  const { wait_ms, run_ms, slowdown } = run;
  assertEquals([run.tasks, run.states, run.makespan_ms], [40, { done: 39, failed: 1 }, 10_000]);
  assertEquals([wait_ms?.p50, Math.round(wait_ms?.p95 ?? 0), wait_ms?.max], [1950, 3705, 3900]);
  assertEquals([run_ms?.p50, slowdown?.min, slowdown?.max], [1000, 1, 4.9]);
  assertEquals([run.cpu_ms, run.reserved_vcpu_ms], [20_000, 40_000]);
  assertEquals([run.offered_vcpus, run.reserved_vcpus, run.used_cores_mean], [8, 4, 2]);
  assertEquals(run.profiles.map(({ name, tasks }) => [name, tasks]), [["even", 20], ["odd", 20]]);
  assertEquals(run.nodes.map(({ name, cpu_ms }) => [name, cpu_ms]), [
    ["node1", 10_000],
    ["node2", 10_000],
  ]);
  assertMatch(run.text, /^Of 40 tasks 39 done, 1 failed, on 2 nodes, within 10\.0 s\. Half of/);
  const ids = json.figures.map(({ id }) => id);
  assertEquals(ids, [
    "waits-ecdf",
    "waits-histogram",
    "run-times-ecdf",
    "run-times-histogram",
    "slowdown-ecdf",
    "slowdown-histogram",
    "used-and-reserved",
    "memory",
    "progress",
  ]);
  const [, histogram] = json.figures;
  const counts = histogram?.rows.flatMap((row) => row.slice(2)) as number[];
  assertEquals(counts.reduce((sum, one) => sum + one, 0), 40);
});

Deno.test("an axis of counts has no mark between two whole numbers", () => {
  assertEquals([0, 0.5, 1, 1500].map(countMark), ["0", "", "1", "1,500"]);
});

Deno.test("a lead of one task on one node is in the singular", async () => {
  const { json } = await reportOn(runParts([taskFacts("a", { start: 0 })]));
  assertMatch(json.runs[0]?.text ?? "", /^The one task was done, on 1 node\b/);
});

Deno.test("an attempt after which another one counted is drawn, but not counted", async () => {
  const { json } = await reportOn(runParts([
    taskFacts("a", { start: 0, state: "superseded", attempts: null }),
    taskFacts("a", { start: 2000, attempts: 2, attempt: 2 }),
  ]));
  const [run] = json.runs;
  assertEquals([run?.tasks, run?.repeated_attempts, run?.states], [1, 1, { done: 1 }]);
});

Deno.test("a run without a task, and one whose only task never started, have a report", async () => {
  const empty = await reportOn(runParts([]));
  assertEquals([empty.json.runs[0]?.tasks, empty.json.runs[0]?.wait_ms], [0, null]);
  const waiting = await reportOn(runParts([{
    ...taskFacts("a", { start: 0, state: "running" }),
    ts_assigned: null,
    ts_start: null,
    ts_end: null,
    cpu_ms: null,
    node: null,
  }]));
  assertEquals(waiting.json.runs[0]?.makespan_ms, null);
});

const HOSTILE = [
  "<script>alert(1)</script>",
  `"><img src=x onerror=alert(1)>`,
  "</script><script>alert(1)</script>",
  "\u202egnp.exe",
  "' onload='alert(1)",
  "$1 & {{x}} `y` ${z}",
];

Deno.test("names are text, whatever they say, and a long one does not make a long page", async () => {
  const names = [...HOSTILE, "x".repeat(1 << 20)];
  const { page } = await reportOn(
    runParts(names.map((name, at) => taskFacts(name, { start: at, profile: name, node: name })), {
      id: "<i>r</i>",
      nodes: names,
    }),
  );
  const text = page.join("");
  assert(!text.includes("<img src=x") && !text.includes("<script>alert"), "markup of a name");
  assert(!text.includes("<i>r</i>") && text.includes("&lt;i&gt;r&lt;/i&gt;"));
  assert(!text.includes("\u202e"), "a mark of direction");
  assert(!/<[^>]*onload='alert/.test(text), "an attribute of a name");
  assertEquals(text.match(/<script/g)?.length, 2);
  assert(text.length < 600_000, `${text.length} characters`);
});

Deno.test("the page loads nothing and allows only its own program", async () => {
  const text = (await reportOn(knownRun())).page.join("");
  const policy = /http-equiv="Content-Security-Policy" content="([^"]+)"/.exec(text)?.[1] ?? "";
  assertMatch(
    policy,
    /^default-src &#39;none&#39;; script-src &#39;sha256-[\w+/=]+&#39;; style-src/,
  );
  assert(!policy.includes("unsafe"));
  const markup = text.replaceAll(/<script>[^]*?<\/script>/g, "");
  const loads = [...markup.matchAll(/\b(?:src|href)="(?!#)([^"]*)"/g)].map(([, url]) => url);
  assertEquals(loads, []);
});

Deno.test("makeReport() compares runs, with intervals", async () => {
  const { json } = await reportOn(knownRun(), knownRun({ id: "r2", place: 1 }));
  const [comparison] = json.comparisons;
  assertEquals([comparison?.first, comparison?.second, comparison?.matched], ["r1", "r2", 40]);
  const wait = comparison?.figures.find(({ name }) => name === "wait, median");
  assertEquals([wait?.first, wait?.second, wait?.difference?.value], [1950, 1950, 0]);
  assert((wait?.difference?.low ?? 0) < -300 && (wait?.difference?.high ?? 0) > 300);
});

Deno.test("quantileDifference() covers a difference that there is, and is null for few values", () => {
  const first = Float64Array.from({ length: 2000 }, (_, at) => at);
  const second = first.map((one) => one + 200);
  const found = quantileDifference(first, { second, p: 0.5 });
  assertEquals(found?.value, 200);
  // Of 2000 evenly spread values the median has a standard error of 1000 / √2000, two differ by √2 more.
  const error = 1.96 * Math.SQRT2 * 1000 / Math.sqrt(2000);
  assertAlmostEquals(found?.low ?? 0, 200 - error, 6);
  assertAlmostEquals(found?.high ?? 0, 200 + error, 6);
  assertEquals(quantileDifference(first.subarray(0, 4), { second, p: 0.5 }), null);
});

Deno.test("usageBins() bounds what series take, however large the run", () => {
  const size = { nodes: 2, tasks: 40, spanMs: 153_000, intervalMs: 200 };
  assertEquals(usageBins(size), { bins: 765, points: 64 });
  assertEquals(usageBins({ ...size, nodes: 1000, tasks: 50_000, spanMs: 1e8 }), {
    bins: 120,
    points: 8,
  });
  assertEquals(usageBins({ ...size, tasks: 1_000_000 }).points, 0);
  assertEquals(usageBins({ ...size, spanMs: 0 }).bins, 0);
});
