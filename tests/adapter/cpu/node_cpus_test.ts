import { assertEquals, assertThrows } from "@std/assert";
import type { CpuLimits } from "../../../adapter/cpu/limits.ts";
import { JobRefusedError } from "../../../adapter/job.ts";
import { type CpuLease, NodeCpus } from "../../../adapter/cpu/node_cpus.ts";
import { completeTask, type PartialTask, type Task } from "../../../trace/task.ts";

const PLACES = [0, 1, 2, 3].map((cpu) => ({ cpu, core: cpu, node: 0 }));

function cpusOf(
  mode: "exclusive" | "shared",
  onTotalWeight: (weight: number) => void = () => {},
): NodeCpus {
  const options = { places: PLACES, mode, isShareOfMachine: true, weightPerUnit: 100, pauseMs: 0 };
  return new NodeCpus({ ...options, onTotalWeight });
}

function task(fields: PartialTask): Task {
  return completeTask({ argv: ["true"], ...fields }, "test", "t");
}

/** Binds a lease and keeps what was applied. */
function appliedTo(lease: CpuLease): CpuLimits[] {
  const applied: CpuLimits[] = [];
  lease.bind((limits) => applied.push(limits));
  return applied;
}

Deno.test("take() gives cores that nobody has, and takes them back", () => {
  const cpus = cpusOf("exclusive");
  {
    using first = cpus.take(task({ cpu_units: 2 }));
    using second = cpus.take(task({ cpu_units: 2 }));
    assertEquals([first.limits.cpus, second.limits.cpus], [[0, 1], [2, 3]]);
    assertEquals([first.isShared, second.isShared], [false, false]);
  }
  using again = cpus.take(task({ cpu_units: 4 }));
  assertEquals([again.limits.cpus, again.isShared], [[0, 1, 2, 3], false]);
});

Deno.test("take() tells both tasks when they have to share a core", () => {
  const cpus = cpusOf("exclusive");
  using first = cpus.take(task({ cpu_units: 3 }));
  using second = cpus.take(task({ cpu_units: 2 }));
  assertEquals([first.isShared, second.isShared], [true, true]);
});

Deno.test("take() honours a task's own cpuset and marks its cores taken", () => {
  const cpus = cpusOf("exclusive");
  using named = cpus.take(task({ cpuset: "0,3" }));
  using other = cpus.take(task({ cpu_units: 2 }));
  assertEquals([named.limits.cpus, other.limits.cpus], [[0, 3], [1, 2]]);
});

Deno.test("take() refuses a cpuset outside the node's CPUs", () => {
  const cpus = cpusOf("exclusive");
  assertThrows(() => cpus.take(task({ cpuset: "2-5" })), JobRefusedError, "this node's CPUs 0-3");
  assertThrows(() => cpus.take(task({ cpuset: "3-1" })), JobRefusedError, "CPU list");
});

Deno.test("take() shares the node fairly, and again when a task ends", () => {
  const cpus = cpusOf("shared");
  using small = cpus.take(task({ cpu_units: 1 }));
  const smallLimits = appliedTo(small);
  const large = cpus.take(task({ cpu_units: 4 }));
  const largeLimits = appliedTo(large);
  using third = cpus.take(task({ cpu_units: 2 }));
  const quotas = (applied: CpuLimits[]) => applied.map(({ quotaCores }) => quotaCores);
  // 4 cores over 1 + 4, then over 1 + 4 + 2.
  assertEquals(quotas(largeLimits), [3, 1.5]);
  assertEquals(third.limits.quotaCores, 1.5);
  large[Symbol.dispose]();
  assertEquals(quotas(largeLimits), [3, 1.5]);
  assertEquals(third.limits.quotaCores, 2);
  assertEquals(quotas(smallLimits), [1]);
});

Deno.test("take() shrinks the others before it grows anybody", () => {
  const cpus = cpusOf("shared");
  const order: string[] = [];
  using first = cpus.take(task({ cpu_units: 4 }));
  first.bind(({ quotaCores }) => order.push(`first ${quotaCores}`));
  using second = cpus.take(task({ cpu_units: 4 }));
  second.bind(({ quotaCores }) => order.push(`second ${quotaCores}`));
  assertEquals(order, ["first 4", "first 2", "second 2"]);
});

Deno.test("take() tells what all tasks weigh together", () => {
  const weights: number[] = [];
  const cpus = cpusOf("exclusive", (weight) => weights.push(weight));
  using _first = cpus.take(task({ cpu_units: 3 }));
  cpus.take(task({ cpu_weight: 50 }))[Symbol.dispose]();
  assertEquals(weights, [300, 350, 300]);
});

Deno.test("take() lowers the weight of a task that gets less than its neighbour", () => {
  const cpus = cpusOf("shared");
  using small = cpus.take(task({ cpu_units: 1 }));
  using large = cpus.take(task({ cpu_units: 6 }));
  assertEquals([small.limits.weight, large.limits.weight], [100, 300]);
});

Deno.test("take() weighs by vCPUs unless the task says otherwise", () => {
  const cpus = cpusOf("shared");
  using weighed = cpus.take(task({ cpu_units: 2 }));
  using own = cpus.take(task({ cpu_units: 2, cpu_weight: 7, cpu_quota: 50 }));
  assertEquals([weighed.limits.weight, own.limits.weight], [200, 7]);
  assertEquals(own.limits.quotaCores, 0.5);
});
