import { assertEquals, assertStringIncludes } from "@std/assert";
import { runCommand, startCommand } from "../support/command_process.ts";
import { openTestQueue } from "../support/queue_actors.ts";
import { startRedisServer } from "../support/redis_server.ts";
import { tempFolder } from "../support/temp_folder.ts";

/** Refused before anything is written and before Redis is asked for. */
const WRONG: readonly (readonly [flag: string, message: string])[] = [
  ["--allocation-ratio=0", "--allocation-ratio must be above 0, got 0"],
  ["--cpus=x", 'Cannot use CPU list "x"'],
  ["--redis=http://h", "redis:// or rediss:// at its start is required"],
];

Deno.test.each(WRONG)("worker %s is a usage error", async (flag, message) => {
  await using folder = await tempFolder();
  const { code, stderr } = await runCommand(
    ["run", "worker", "--run-id=r", "--redis=redis://127.0.0.1:1/0", flag],
    { cwd: folder.path },
  );
  assertEquals(code, 2, stderr);
  assertStringIncludes(stderr, message);
});

Deno.test("worker warns of a Redis that may lose tasks, and refuses it with --require-durable", async () => {
  await using folder = await tempFolder();
  await using lossy = await startRedisServer({ config: ["maxmemory-policy allkeys-lru"] });
  const flags = ["run", "worker", "--run-id=r", "--node-id=n", "--redis", lossy.url];
  const gap = "it keeps no append-only file (appendonly yes), and it evicts keys by allkeys-lru";
  const refused = await runCommand([...flags, "--require-durable"], { cwd: folder.path });
  assertEquals(refused.code, 1);
  assertStringIncludes(refused.stderr, `--require-durable: Redis may lose tasks: ${gap}`);
  await using warned = startCommand(flags, { cwd: folder.path });
  await warned.says(/^Redis may lose tasks: it keeps no append-only file/m);
});

Deno.test("openQueue() says nothing of a durable Redis", async () => {
  await using durable = await startRedisServer({ appendOnly: true });
  await using queue = await openTestQueue(durable);
  assertEquals(await queue.durabilityGap(), null);
});
