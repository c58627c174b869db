import { assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { ReplyError, RespConnection, UnreachableError } from "../../../scheduler/queue/resp.ts";
import { parseRedisUrl } from "../../../scheduler/queue/url.ts";
import { type RedisServer, startRedisServer } from "../../support/redis_server.ts";

const LIMIT = { limitMs: 30_000 };

async function enter(redis: RedisServer): Promise<RespConnection> {
  const address = parseRedisUrl(redis.url);
  const connection = await RespConnection.open(address, LIMIT);
  assertEquals(await connection.send(["AUTH", address.password ?? ""]), "OK");
  return connection;
}

Deno.test("RespConnection reads each kind of reply, and text by its bytes", async () => {
  await using redis = await startRedisServer();
  using connection = await enter(redis);
  const text = `äöü ✓ \r\n${"x".repeat(200_000)}\0`;
  assertEquals(await connection.send(["SET", "a", text]), "OK");
  assertEquals(await connection.send(["GET", "a"]), text);
  assertEquals(await connection.send(["GET", "absent"]), null);
  assertEquals(await connection.send(["STRLEN", "absent"]), 0);
  assertEquals(await connection.send(["SET", "b", ""]), "OK");
  assertEquals(await connection.send(["MGET", "absent", "b"]), [null, ""]);
  assertEquals(await connection.send(["EVAL", "return {1,{'x'},false}", "0"]), [1, ["x"], null]);
  const refused = await connection.send(["NOSUCH"]);
  assertInstanceOf(refused, ReplyError);
});

Deno.test("RespConnection answers what is sent at once in its order", async () => {
  await using redis = await startRedisServer();
  using connection = await enter(redis);
  const numbers = Array.from({ length: 500 }, (_, index) => `${index}`);
  const replies = await Promise.all(numbers.map((number) => connection.send(["ECHO", number])));
  assertEquals(replies, numbers);
});

Deno.test("RespConnection gives up on a server that does not answer", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const address = parseRedisUrl(`redis://127.0.0.1:${listener.addr.port}`);
  using connection = await RespConnection.open(address, { limitMs: 50 });
  using _accepted = await listener.accept();
  await assertRejects(() => connection.send(["PING"]), Deno.errors.TimedOut, "no answer within");
});

Deno.test("RespConnection.open() says why nothing can be reached", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr;
  listener.close();
  const address = parseRedisUrl(`redis://127.0.0.1:${port}`);
  await assertRejects(() => RespConnection.open(address, LIMIT), UnreachableError, "refused");
});
