/** The whole state of a queue, read in one step, and the laws that hold between any two steps. */

import { assert, assertEquals } from "@std/assert";
import type { RedisConnection } from "../../scheduler/queue/connection.ts";
import { textOf } from "../../scheduler/queue/reply.ts";

/** One node's books. */
export interface NodeBooks {
  readonly capacity: number;
  readonly slots: number;
  readonly used: number;
  readonly tasks: number;
  readonly hold: number;
  /** `cap:<node>`, what people see. */
  readonly shownCap: number;
  readonly assigned: readonly string[];
  readonly running: readonly string[];
  /** Ids in `q:<node>`. */
  readonly queue: readonly string[];
  /** Ids that were put into it past the scheduler. */
  readonly indexed: readonly string[];
}

/** One task's record. */
export interface TaskRecord {
  readonly state: string;
  readonly node: string;
  readonly units: number;
  readonly attempt: number;
}

/** Everything in the queue. */
export interface QueueState {
  readonly pending: readonly { readonly task_id: string; readonly seq?: number }[];
  readonly indexed: readonly string[];
  readonly nodes: Readonly<Record<string, NodeBooks>>;
  readonly records: Readonly<Record<string, TaskRecord>>;
  readonly results: readonly { readonly task_id: string; readonly state: string }[];
  readonly tokens: Readonly<Record<string, number>>;
  readonly tokensExpected: number;
  /** Tokens in the list that stand for no free slot any more, by node. */
  readonly tokensOwed: Readonly<Record<string, number>>;
}

/** Reads all keys in one script, so that nothing moves meanwhile. */
const SNAPSHOT = `
local function ids(list)
  local found = {}
  for i, raw in ipairs(redis.call('LRANGE', list, 0, -1)) do found[i] = raw end
  return found
end
local state = { nodes = {}, records = {}, tokens = {}, tokensOwed = {} }
for _, name in ipairs(redis.call('ZRANGE', 'tk:nodes', 0, -1)) do
  local v = redis.call('HMGET', 'tk:node:' .. name, 'capacity', 'slots', 'used', 'tasks', 'hold')
  state.nodes[name] = {
    capacity = tonumber(v[1]), slots = tonumber(v[2]), used = tonumber(v[3]), tasks = tonumber(v[4]),
    hold = tonumber(v[5]), shownCap = tonumber(redis.call('GET', 'cap:' .. name)),
    assigned = redis.call('ZRANGE', 'tk:assigned:' .. name, 0, -1),
    running = redis.call('HKEYS', 'tk:running:' .. name),
    queue = ids('q:' .. name), indexed = redis.call('HKEYS', 'tk:index:' .. name),
  }
end
for _, key in ipairs(redis.call('KEYS', 'tk:task:*')) do
  local v = redis.call('HMGET', key, 'state', 'node', 'units', 'attempt')
  state.records[string.sub(key, 9)] = { state = v[1], node = v[2] or '', units = tonumber(v[3]) or 0,
    attempt = tonumber(v[4] or '0') }
end
for _, token in ipairs(redis.call('LRANGE', 'slots:available', 0, -1)) do
  state.tokens[token] = (state.tokens[token] or 0) + 1
end
local owed = redis.call('HGETALL', 'tk:owed')
for i = 1, #owed, 2 do state.tokensOwed[owed[i]] = tonumber(owed[i + 1]) end
state.tokensExpected = tonumber(redis.call('HGET', 'tk:config', 'tokens') or '0')
state.pending = ids('q:pending')
state.indexed = redis.call('HKEYS', 'tk:index:')
state.results = ids('tk:results')
return cjson.encode(state)
`;

/** The queue as it is. */
export async function readQueueState(connection: RedisConnection): Promise<QueueState> {
  const text = textOf(await connection.command("EVAL", SNAPSHOT, "0"));
  // cjson writes an empty list as {}.
  const lists = ["pending", "indexed", "results", "assigned", "running", "queue"];
  return JSON.parse(text, (key, value) => {
    if (!lists.includes(key)) return value;
    const list: string[] = Array.isArray(value) ? value : [];
    if (key === "queue") {
      const tasks = list.map((raw) => JSON.parse(raw)).filter(({ seq }) => seq !== undefined);
      return tasks.map(({ task_id }) => task_id);
    }
    return key === "pending" || key === "results" ? list.map((raw) => JSON.parse(raw)) : list;
  });
}

/**
 * Check the laws that hold after every step, and that each of `accepted` is somewhere. What a person
 * pushed and nobody took in yet has no place number and is skipped.
 */
export function checkLaws(state: QueueState, accepted: Iterable<string> = []): void {
  const adopted = state.pending.filter(({ seq }) => seq !== undefined);
  const order = adopted.map(({ seq = NaN }) => seq);
  assertEquals(order, order.toSorted((a, b) => a - b), "pending tasks are in their order");
  const places = new Map<string, string>();
  function at(id: string, place: string): void {
    const other = places.get(id);
    assert(other === undefined, `${id} is in two places: ${other} and ${place}`);
    places.set(id, place);
  }
  const pending = adopted.map(({ task_id }) => task_id);
  assertEquals(state.indexed.toSorted(), pending.toSorted(), "the index names what is pending");
  for (const id of pending) at(id, "pending");
  for (const [node, books] of Object.entries(state.nodes)) checkNode(node, books, { state, at });
  const free = Object.values(state.nodes).reduce(
    (sum, { slots, tasks }) => sum + (slots === 0 ? 0 : slots - tasks),
    0,
  );
  const owed = Object.values(state.tokensOwed).reduce((sum, count) => sum + count, 0);
  const expected = state.tokensExpected - owed;
  assertEquals(expected, free, "as many slot tokens are expected as slots are free");
  for (const { task_id, state: end } of state.results) at(task_id, end);
  for (const [id, { state: said, node }] of Object.entries(state.records)) {
    const place = places.get(id) ?? "nowhere";
    const isAsSaid = said === "pending"
      ? place === "pending" || place.startsWith("direct ")
      : place === `${said} ${node}`;
    assert(isAsSaid, `the record of ${id} says ${said} ${node}, it is ${place}`);
  }
  for (const id of accepted) assert(places.has(id), `${id} is lost`);
}

function checkNode(
  node: string,
  books: NodeBooks,
  { state, at }: {
    readonly state: QueueState;
    readonly at: (id: string, place: string) => void;
  },
): void {
  const { capacity, slots, used, tasks, hold, shownCap, assigned, running, queue, indexed } = books;
  for (const id of assigned) at(id, `assigned ${node}`);
  for (const id of running) at(id, `running ${node}`);
  for (const id of indexed) at(id, `direct ${node}`);
  assertEquals(queue.toSorted(), [...assigned, ...indexed].toSorted(), `q:${node} holds its tasks`);
  const held = [...assigned, ...running];
  const units = held.reduce((sum, id) => sum + (state.records[id]?.units ?? NaN), 0);
  assertEquals([used, tasks], [units, held.length], `the books of ${node} are what it holds`);
  assert(used >= 0 && used <= capacity, `${node} uses ${used} of ${capacity}`);
  assert(slots === 0 || tasks <= slots, `${node} has ${tasks} tasks in ${slots} slots`);
  assertEquals(shownCap, capacity - used - hold, `cap:${node} is what remains`);
  const tokens = (state.tokens[node] ?? 0) - (state.tokensOwed[node] ?? 0);
  assertEquals(tokens, slots === 0 ? 0 : slots - tasks, `slot tokens of ${node}`);
}
