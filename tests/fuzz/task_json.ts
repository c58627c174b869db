/** Tasks and profiles as anybody may have pushed or written them. */

import { ffmpegArguments } from "../../adapter/ffmpeg_arguments.ts";
import { decodeProfiles } from "../../scheduler/dispatch/profiles.ts";
import { readListedTask, taskHead } from "../../scheduler/queue/task_json.ts";
import type { Mutator } from "./mutate.ts";
import { type FuzzTarget, isTold } from "./target.ts";

const TASKS = [
  '{"task_id":"t1","kind":"ffmpeg","input":"a.mp4","output":"b.mp4","codec":"libx264",' +
  '"scale":"1280:720","crf":23,"preset":"fast","threads":2,"cpu_units":2,"seq":1,"ts_enqueue":1.5}',
  '{"task_id":"t2","kind":"command","argv":["sh","-c","exit 0"],"env":{"A":"1"},"cpu_units":1,' +
  '"timeout_s":60,"cpu_quota":50,"attempt":1}',
];

const PROFILES = '{"profiles":{"p":{"kind":"command","argv":["true"],"cpu_units":2,' +
  '"aliases":["q"]},"v":{"codec":"libx265","crf":28,"scale":"640:360"}}}';

/** Any text is a task, which stays the same through the queue, or is poison with a reason. */
export function taskJson(): FuzzTarget {
  return {
    name: "task_json",
    round(mutator: Mutator): Promise<void> {
      const raw = mutator.text(mutator.oneOf(TASKS));
      const found = readListedTask(raw, "made-up");
      if (found.kind === "task") {
        const again = readListedTask(`${taskHead(found.task)}}`, found.task.task_id);
        if (again.kind !== "task") throw new Error(`the queue would refuse its own: ${raw}`);
        if (found.task.kind === "ffmpeg") {
          ffmpegArguments(found.task, { input: "/in", writtenTo: "/out", output: "out.mp4" });
        }
      } else if (found.reason === "") throw new Error(`poison without a reason: ${raw}`);
      try {
        decodeProfiles(JSON.parse(mutator.text(PROFILES)), "profiles.json");
      } catch (error) {
        if (!isTold(error)) throw error;
      }
      return Promise.resolve();
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
