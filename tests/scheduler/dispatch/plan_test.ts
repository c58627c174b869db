import { assertEquals, assertThrows } from "@std/assert";
import { parseDispatchId, planLine, planTasks } from "../../../scheduler/dispatch/plan.ts";
import { parseMix } from "../../../scheduler/dispatch/mix.ts";
import { BUILT_IN_PROFILES, decodeProfiles } from "../../../scheduler/dispatch/profiles.ts";
import { PythonRandom } from "../../../scheduler/dispatch/python_random.ts";
import type { Task } from "../../../trace/task.ts";

const MIX = "fast1080p=40,medium480p=40,hevc1080p=20";
const SINGLE = { scale: "1280:720", preset: "veryfast", crf: 28 };

function plan(inputs: string[], given: { mix?: string; total?: number }): Task[] {
  return planTasks(inputs, {
    outputs: "outputs",
    dispatchId: "d",
    mix: given.mix === undefined ? null : parseMix(given.mix, BUILT_IN_PROFILES),
    total: given.total ?? null,
    random: new PythonRandom(20250901),
    single: SINGLE,
  });
}

Deno.test("planTasks() with a total uses inputs cyclically and numbers the outputs", () => {
  const tasks = plan(["in/a.mp4", "in/b.mp4"], { mix: MIX, total: 5 });
  assertEquals(tasks.map(({ input, output, task_id }) => [input, output, task_id]), [
    ["in/a.mp4", "outputs/a_854x480_h264_medium_n0000.mp4", "d-0000"],
    ["in/b.mp4", "outputs/b_854x480_h264_medium_n0001.mp4", "d-0001"],
    ["in/a.mp4", "outputs/a_1920x1080_hevc_medium_n0002.mp4", "d-0002"],
    ["in/b.mp4", "outputs/b_1920x1080_h264_fast_n0003.mp4", "d-0003"],
    ["in/a.mp4", "outputs/a_1920x1080_h264_fast_n0004.mp4", "d-0004"],
  ]);
  assertEquals(tasks.map(({ cpu_units }) => cpu_units), [2, 2, 4, 2, 2]);
});

Deno.test("planTasks() without a total draws once for each input", () => {
  const outputs = plan(["a.mp4", "b.mp4"], { mix: MIX }).map(({ output }) => output);
  assertEquals(outputs, ["outputs/a_1920x1080_h264_fast.mp4", "outputs/b_854x480_h264_medium.mp4"]);
});

Deno.test("planTasks() without a mix makes the seeds' plain task", () => {
  const [task] = plan(["in/a.b.mp4"], {});
  assertEquals(task?.output, "outputs/a.b_1280x720_crf28.mp4");
  assertEquals([task?.vcodec, task?.preset, task?.crf, task?.cpu_units, task?.profile], [
    "h264",
    "veryfast",
    28,
    1,
    null,
  ]);
});

Deno.test("planTasks() never gives two tasks one output", () => {
  const outputs = plan(["a.mp4", "b.mp4"], { total: 100 }).map(({ output }) => output);
  assertEquals(new Set(outputs).size, 100);
});

Deno.test("planTasks() makes commands of a profile that is one", () => {
  const profiles = decodeProfiles({
    profiles: { "sort": { kind: "command", argv: ["sort", "-o", "{output}", "{input}"] } },
  }, "own.json");
  const [task] = planTasks(["in/words.mp4"], {
    outputs: "out",
    dispatchId: "d",
    mix: parseMix("sort=1", profiles),
    total: null,
    random: new PythonRandom(1),
    single: SINGLE,
  });
  assertEquals(task?.argv, ["sort", "-o", "out/words_sort.mp4", "in/words.mp4"]);
  assertEquals([task?.scale, task?.outputs], [null, ["out/words_sort.mp4"]]);
});

Deno.test("planLine() fills in the profile that a line names, and keeps what it says", () => {
  const task = planLine({ profile: "hevc1080p", input: "i", output: "o", crf: 20 }, {
    where: "t.jsonl:1",
    dispatchId: "d",
    index: 7,
    profiles: BUILT_IN_PROFILES,
  });
  assertEquals([task.vcodec, task.crf, task.cpu_units, task.task_id], ["hevc", 20, 4, "d-0007"]);
});

Deno.test("parseDispatchId() leaves room for the number of a task", () => {
  assertEquals(parseDispatchId("a".repeat(48)).length, 48);
  for (const wrong of ["", "..", "a/b", "a".repeat(49)]) {
    assertThrows(() => parseDispatchId(wrong), RangeError, "Cannot use dispatch id");
  }
});
