/** `docs/reference/tasks-file.md`: the tasks of `dispatch --tasks FILE`, with examples. */

import { BUILT_IN_PROFILES } from "../../scheduler/dispatch/profiles.ts";
import { TASK } from "../../trace/task.ts";
import { code, type Page, page, table } from "./page.ts";
import { fieldTable } from "./run_files_page.ts";

/** One example: what it shows, and its line. */
export interface TaskExample {
  /** What it shows. */
  readonly shows: string;
  /** The task, as JSON. */
  readonly line: string;
}

/** Lines of a tasks file. */
export const TASK_EXAMPLES: readonly TaskExample[] = [
  { shows: "A command with all defaults", line: '{"argv":["sleep","1"]}' },
  {
    shows: "A command that reserves two vCPUs, must leave a file and may take a minute",
    line:
      '{"task_id":"sort-7","kind":"command","argv":["sort","-o","sorted.txt","/data/words.txt"],' +
      '"env":{"LC_ALL":"C"},"outputs":["sorted.txt"],"cpu_units":2,"timeout_s":60}',
  },
  {
    shows: "A transcoding with the defaults of ffmpeg tasks",
    line: '{"input":"inputs/a.mp4","output":"outputs/a_720p.mp4"}',
  },
  {
    shows: "A transcoding whose other fields come from a profile",
    line: '{"profile":"hevc1080p","input":"inputs/a.mp4","output":"outputs/a_hevc.mp4"}',
  },
  {
    shows: "CPU limits of its own: half a core, on the first two",
    line: '{"argv":["stress-ng","--cpu","1","-t","10"],"cpuset":"0-1","cpu_quota":50}',
  },
];

const INTRODUCTION =
  `\`dispatch --tasks FILE\` takes tasks of any kind from a JSON Lines file: one object per
line, in the order of submission. The same objects are in \`q:pending\`; a task pushed there by hand may
leave out as much as a line here.

What a line leaves out comes from the profile that it names, then from these defaults: \`kind\` is
\`command\` where there is \`argv\`, else \`ffmpeg\`; \`cpu_units\` 1; for ffmpeg \`scale\` 1280:720,
\`vcodec\` h264, \`preset\` veryfast, \`crf\` 28. \`task_id\`, \`dispatch_id\`, \`seq\`, \`attempt\` and
\`ts_enqueue\` are given by the dispatcher and the queue.

Check a file without Redis: \`deno task dispatch --tasks FILE --dry-run\`. A line that is not a valid task
is reported with its number, and nothing is submitted.`;

const RULES = `- A task of kind \`command\` runs only if its program is named by the worker's
  \`--allow-commands\`. There is no shell: \`argv\` is passed as it is.
- \`outputs\` (and \`output\`) must be inside the worker's \`--outputs\` folder. The working directory of a
  command is that folder, or \`cwd\` below it; an ffmpeg task writes to a temporary name and gets its name
  after success.
- An output that is missing after the end makes the task failed.
- A task sees PATH, HOME, USER, locale and time zone of the worker, and RUN_ID, NODE_ID, TASK_ID and
  TRACEPARENT; \`env\` adds to these.`;

const PROFILES =
  `Own profiles: a file of the same form as \`scheduler/dispatch/profiles.json\`, described by
\`profiles.schema.json\` beside it, given as \`--profiles FILE\`.`;

/** The page. */
export function tasksFilePage(): Page {
  const profiles = [...BUILT_IN_PROFILES].map(([name, { task }]) => [
    code(name),
    code(JSON.stringify(task)),
  ]);
  return page(
    "tasks-file.md",
    "Format of a tasks file",
    INTRODUCTION,
    "## Examples",
    TASK_EXAMPLES.map(({ shows, line }) => `${shows}:\n\n\`\`\`jsonl\n${line}\n\`\`\``).join(
      "\n\n",
    ),
    "## Rules",
    RULES,
    "## Fields",
    fieldTable(TASK.fields),
    "## Built-in profiles",
    PROFILES,
    table(["profile", "fields"], profiles),
  );
}
