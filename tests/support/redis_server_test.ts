import { assertEquals, assertRejects } from "@std/assert";
import { startRedisServer } from "./redis_server.ts";

Deno.test("startRedisServer() gives a server that asks for its password", async () => {
  await using redis = await startRedisServer();
  assertEquals(await redis.cli("PING"), "PONG");
  const { stdout } = await new Deno.Command("redis-cli", {
    args: ["-p", String(redis.port), "PING"],
  }).output();
  assertEquals(new TextDecoder().decode(stdout).includes("NOAUTH"), true);
});

Deno.test("restart() keeps what an append-only server had synced", async () => {
  await using redis = await startRedisServer({ appendOnly: true, config: ["appendfsync always"] });
  await redis.cli("SET", "kept", "1");
  await redis.kill("SIGKILL");
  await assertRejects(() => redis.cli("PING"), Error, "refused");
  await redis.restart();
  assertEquals(await redis.cli("GET", "kept"), "1");
});
