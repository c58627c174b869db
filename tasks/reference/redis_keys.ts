/** `docs/reference/redis-keys.md`: every key of the queue in Redis. */

import { code, type Page, page, table } from "./page.ts";

/** A key: its name behind the prefix, its type, and what it holds. */
type Key = readonly [name: string, type: string, meaning: string];

/** Keys that a person may read and that keep their names from the seeds. */
const KEYS_FOR_PEOPLE: readonly Key[] = [
  [
    "q:pending",
    "list",
    "Pending tasks as JSON; the right end is pushed, the left end is the head.",
  ],
  ["q:<node>", "list", "Tasks assigned to a node and not yet claimed by its worker."],
  [
    "q:dead",
    "list",
    "Dead letters: invalid tasks and tasks that failed too often, with the reason.",
  ],
  [
    "slots:available",
    "list",
    "One token, the node's name, per free slot of a worker with `--parallel`.",
  ],
  ["cap:<node>", "string", "Free capacity in vCPUs: capacity minus reservations."],
  ["cap_total:<node>", "string", "Capacity in vCPUs."],
  ["run_count:<node>", "string", "Assigned and running tasks."],
  ["phys:<node>", "string", "Logical cores."],
  ["ratio:<node>", "string", "Allocation ratio."],
];

/** Keys that only the scripts change. */
const KEYS_OF_THE_QUEUE: readonly Key[] = [
  ["tk:config", "hash", "Names of the lists and policies that all roles share."],
  ["tk:nodes", "sorted set", "Node by the end of its lease, epoch ms."],
  ["tk:node:<node>", "hash", "State of a node: capacity, reservations, worker incarnation, lease."],
  ["tk:dirty", "set", "Nodes that changed since the scheduler last read them."],
  [
    "tk:index:<node>",
    "hash",
    "Tasks expected in a list beyond assigned ones; no name: the pending queue.",
  ],
  ["tk:assigned:<node>", "sorted set", "Tasks assigned to a node and not yet claimed."],
  ["tk:running:<node>", "hash", "Tasks that a node runs, by attempt."],
  ["tk:cancel:<node>", "set", "Running tasks that the worker of a node must stop."],
  ["tk:task:<task>", "hash", "A task from its first assignment to its end."],
  ["tk:ended:<task>", "string", "How a task ended, kept for 30 s; for a day after a loss of data."],
  [
    "tk:accepted:<node>",
    "hash",
    "Ends that were accepted and that the worker of a node may not have heard of yet.",
  ],
  ["tk:drained", "set", "Nodes that an operator drained."],
  ["tk:life", "hash", "This life of the data: how roles notice that Redis lost them."],
  [
    "tk:removed",
    "list",
    "Lists that a person deleted, until their tasks are recorded as cancelled.",
  ],
  ["tk:removed:<n>", "hash", "Tasks of such a list."],
  ["tk:owed", "hash", "Slot tokens still to be removed from the list of tokens, per node."],
  ["tk:results", "list", "Results that the scheduler has not written to disk yet."],
  ["tk:totals", "hash", "Number of ended tasks, by state."],
  [
    "tk:dispatch:<dispatch>",
    "hash",
    "Tasks that a dispatch has enqueued, so that a resumed one repeats none.",
  ],
  ["tk:progress:<dispatch>", "hash", "Number of tasks of a dispatch, by state."],
  ["tk:leader", "string", "Token of the active scheduler, with an expiry."],
  ["tk:epoch", "string", "Number of the last scheduler that became active."],
  ["tk:seq", "string", "Last number given to a task in the order of submission."],
  ["tk:last_us", "string", "Last ts_enqueue given, µs: times of submission strictly increase."],
  ["tk:wake", "channel", "Something changed that a scheduler may act on."],
  ["tk:wake:<node>", "channel", "Something changed that the worker of a node may act on."],
];

/** Every key, those of the seeds first. */
export const REDIS_KEYS: readonly Key[] = [...KEYS_FOR_PEOPLE, ...KEYS_OF_THE_QUEUE];

const INTRODUCTION =
  `\`--key-prefix\` is before every key. All keys must be in one Redis (no cluster
mode), because the scripts derive their names from the prefix.`;

const PEOPLE =
  `Names as in the earlier Python versions. \`cap:\`, \`cap_total:\`, \`run_count:\`, \`phys:\`,
\`ratio:\` and the slot tokens are projections of the node's state and are rewritten at each heartbeat
(2 s): a value set by hand cannot over-commit a node or lose a task. See
[coming from the seeds](../from-the-seeds.md#redis-cli-recipes).`;

/** The page. */
export function redisKeysPage(): Page {
  const rows = (keys: readonly Key[]) =>
    table(
      ["key", "type", "content"],
      keys.map(([name, type, meaning]) => [code(name), type, meaning]),
    );
  return page(
    "redis-keys.md",
    "Redis keys",
    INTRODUCTION,
    "## Keys to read",
    PEOPLE,
    rows(KEYS_FOR_PEOPLE),
    "## Keys of the queue",
    "Only the Lua scripts in `scheduler/queue/lua/` change these.",
    rows(KEYS_OF_THE_QUEUE),
  );
}
