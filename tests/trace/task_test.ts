import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { DecodeError } from "../../trace/schema.ts";
import { completeTask, TASK } from "../../trace/task.ts";

const MINIMAL = { input: "a.mp4", output: "b.mp4" };

Deno.test("completeTask() fills in the seeds' defaults", () => {
  const task = completeTask({ ...MINIMAL }, "q:pending", "t1");
  const { task_id, kind, scale, vcodec, preset, crf, cpu_units, attempt, seq } = task;
  assertEquals({ task_id, kind, scale, vcodec, preset, crf, cpu_units, attempt, seq }, {
    task_id: "t1",
    kind: "ffmpeg",
    scale: "1280:720",
    vcodec: "h264",
    preset: "veryfast",
    crf: 28,
    cpu_units: 1,
    attempt: 1,
    seq: null,
  });
});

Deno.test.each<[object]>([
  [{ timeout_s: 1e300 }],
  [{ timeout_s: -1 }],
  [{ cpu_quota: 1e300 }],
  [{ cpu_units: 1e9 }],
])("completeTask() refuses %j, which no kernel could be told", (fields) => {
  assertThrows(() => completeTask({ ...MINIMAL, ...fields }, "q:pending", "t1"), DecodeError);
});

Deno.test("completeTask() takes null for a field that is not given", () => {
  const task = completeTask({ ...MINIMAL, scale: null, cpu_units: null }, "q:pending", "t1");
  assertEquals([task.scale, task.cpu_units], ["1280:720", 1]);
});

Deno.test("completeTask() keeps what is given, its id and _seq among it", () => {
  const given = { ...MINIMAL, task_id: "mine", _seq: 7, cpu_units: 4, vcodec: "hevc" };
  const { task_id, seq, cpu_units, vcodec } = completeTask(given, "q:pending", "t1");
  assertEquals({ task_id, seq, cpu_units, vcodec }, {
    task_id: "mine",
    seq: 7,
    cpu_units: 4,
    vcodec: "hevc",
  });
});

Deno.test("completeTask() takes a task with argv for a command, without the defaults of ffmpeg", () => {
  const { kind, vcodec, crf } = completeTask({ argv: ["sleep", "1"] }, "q:pending", "t1");
  assertEquals({ kind, vcodec, crf }, { kind: "command", vcodec: null, crf: null });
});

const POISON: readonly [what: string, value: unknown, message: string][] = [
  ["a text", "x", "an object is required"],
  ["a list", [MINIMAL], "an object is required"],
  ["null", null, "an object is required"],
  ["no input", { output: "b.mp4" }, '"input" and "output"'],
  ["an empty output", { input: "a", output: "" }, '"input" and "output"'],
  ["a command without a program", { kind: "command", argv: [] }, 'field "argv"'],
  ["an empty program", { argv: [""] }, 'field "argv"'],
  ["negative cpu_units", { ...MINIMAL, cpu_units: -1 }, 'field "cpu_units"'],
  ["no cpu_units at all", { ...MINIMAL, cpu_units: 0 }, 'field "cpu_units"'],
  ["half a vCPU", { ...MINIMAL, cpu_units: 1.5 }, 'field "cpu_units"'],
  ["more than any machine has", { ...MINIMAL, cpu_units: 1e6 }, 'field "cpu_units"'],
  ["cpu_units as a text", { ...MINIMAL, cpu_units: "2" }, 'field "cpu_units"'],
  ["a filter injected through scale", { ...MINIMAL, scale: "1:1,movie=/etc" }, 'field "scale"'],
  ["a strange codec", { ...MINIMAL, vcodec: "libx264 -f null" }, 'field "vcodec"'],
  ["a flag as preset", { ...MINIMAL, preset: "-y" }, 'field "preset"'],
  ["a path as task_id", { ...MINIMAL, task_id: "../x" }, 'field "task_id"'],
  ["a folder as task_id", { ...MINIMAL, task_id: ".." }, 'field "task_id"'],
  ["an unknown kind", { ...MINIMAL, kind: "shell" }, 'field "kind"'],
  ["a cpuset that is none", { ...MINIMAL, cpuset: "0;rm" }, 'field "cpuset"'],
];

for (const [what, value, message] of POISON) {
  Deno.test(`completeTask() refuses ${what}`, () => {
    assertThrows(() => completeTask(value, "q:pending", "t1"), DecodeError, message);
  });
}

Deno.test("completeTask() gives a valid task or a DecodeError, whatever is in the queue", () => {
  const keys = [...Object.keys(TASK.fields), "_seq", "other"];
  const values = fc.oneof(fc.jsonValue(), fc.constantFrom("a", "h264", 1, 2, "ffmpeg", null));
  const given = fc.dictionary(fc.constantFrom(...keys), values);
  fc.assert(fc.property(given, (value) => {
    try {
      assertEquals(TASK.firstProblem(completeTask(value, "here", "t1")), null);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
    }
  }));
});
