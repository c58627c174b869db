import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseMountinfo } from "../../../trace/linux/mounts.ts";
import { LibcUnavailableError, openLibc } from "../../../trace/linux/libc.ts";
import { parseAllowedCpus, parseIgnoredSignals } from "../../../trace/linux/pid_status.ts";
import {
  childrenOf,
  isSameProcess,
  readProcessStat,
  readSelf,
  signalProcess,
} from "../../../trace/linux/processes.ts";

Deno.test("processes are known by pid and start time, and a zombie is none", async () => {
  const { pid, startTicks } = readSelf();
  assert(isSameProcess(pid, startTicks));
  assert(!isSameProcess(pid, startTicks + 1));
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  assert(childrenOf(Deno.pid).includes(child.pid));
  const stat = readProcessStat(child.pid);
  assertEquals(stat?.ppid, Deno.pid);
  signalProcess(child.pid, "SIGKILL");
  await child.status;
  assertEquals(readProcessStat(child.pid), null);
  assertEquals(childrenOf(child.pid), []);
  signalProcess(child.pid, "SIGKILL");
});

Deno.test("openLibc() says that a function is missing by an error of its own", () => {
  const symbols = { no_such_function_of_libc: { parameters: [], result: "void" } } as const;
  assertThrows(() => openLibc(symbols), LibcUnavailableError);
});

Deno.test("parseIgnoredSignals() and parseAllowedCpus() read their lines of status", () => {
  const text = "Name:\tx\nSigIgn:\t0000000000001001\nCpus_allowed_list:\t0-1,4\n";
  assertEquals(parseIgnoredSignals(text), [1, 13]);
  assertEquals(parseAllowedCpus(text), [0, 1, 4]);
});

Deno.test("parseMountinfo() reads octal escapes and skips optional fields", () => {
  const line = "9 8 0:1 /docker/4f /a\\040b rw shared:1 master:2 - cgroup2 cgroup rw,cpu";
  assertEquals(parseMountinfo(`${line}\n`), [
    { root: "/docker/4f", path: "/a b", type: "cgroup2", superOptions: ["rw", "cpu"] },
  ]);
});
