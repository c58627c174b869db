import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import type { ClientKind } from "../../../scheduler/queue/client.ts";
import { LIBRARY_CLIENT } from "../../../scheduler/queue/library_client.ts";
import { PLAIN_CLIENT } from "../../../scheduler/queue/plain_client.ts";
import { QueueError, RedisConnection } from "../../../scheduler/queue/connection.ts";
import { parseRedisUrl } from "../../../scheduler/queue/url.ts";
import { SCRIPTS } from "../../../scheduler/queue/scripts.ts";
import { startRedisServer } from "../../support/redis_server.ts";
import { Relay } from "../../support/relay.ts";
import { waitFor } from "../../support/wait_for.ts";

const CLIENTS: readonly [name: string, client: ClientKind][] = [
  ["library", LIBRARY_CLIENT],
  ["plain", PLAIN_CLIENT],
];

/** An error inside a script, as Redis 7 says it. */
const REDIS_7_ERROR =
  /^-(OOM|MISCONF|READONLY)( [^\r\n]*?) script: ([0-9a-f]{40}), on @user_script:(\d+)\./m;

for (const [name, client] of CLIENTS) {
  Deno.test(`RedisConnection.run() waits for a Redis 6 that is out of memory (${name} client)`, async () => {
    await using redis = await startRedisServer();
    await using relay = Relay.to(redis.port);
    // Redis 6.2 itself is not to be installed beside 7: the relay words its errors.
    relay.editReplies((text) =>
      text.replace(
        REDIS_7_ERROR,
        "-ERR Error running script (call to f_$3): @user_script:$4: @user_script: $4: -$1$2",
      )
    );
    const lines: string[] = [];
    await using connection = await RedisConnection.open({
      client,
      address: parseRedisUrl(relay.through(redis.url)),
      report: (line) => lines.push(line),
    });
    await redis.cli("CONFIG", "SET", "maxmemory", "1");
    const answer = connection.run(SCRIPTS.lead, "", ["s", "", "1000", "", "0", "life"]);
    await waitFor({ what: "the line", read: () => lines.length, until: (count) => count === 1 });
    await redis.cli("CONFIG", "SET", "maxmemory", "0");
    assertEquals((await answer as readonly unknown[])[1], 1);
    assertMatch(
      lines[0] ?? "",
      /\(OOM .*\), retrying/,
    );
  });

  Deno.test(`RedisConnection says that all connections are taken, and waits (${name} client)`, async () => {
    await using redis = await startRedisServer({ config: ["maxclients 1"] });
    const lines: string[] = [];
    const holder = await Deno.connect({ hostname: "127.0.0.1", port: redis.port });
    const opening = RedisConnection.open({
      client,
      address: parseRedisUrl(redis.url),
      report: (line) => lines.push(line),
    });
    await waitFor({ what: "the line", read: () => lines.length, until: (count) => count === 1 });
    holder.close();
    await using connection = await opening;
    assertEquals(await connection.command("PING"), "PONG");
    assertMatch(
      lines[0] ?? "",
      /is not reachable \(all its connections are taken: raise maxclients/,
    );
  });

  Deno.test(`RedisConnection sends again what a lost server did not answer (${name} client)`, async () => {
    await using redis = await startRedisServer({ appendOnly: true });
    const lines: string[] = [];
    let restored = 0;
    await using connection = await RedisConnection.open({
      client,
      address: parseRedisUrl(redis.url),
      report: (line) => lines.push(line),
    });
    connection.onRestored(() => restored += 1);
    const before = await connection.serverId();
    await redis.kill("SIGSTOP");
    const answers = ["a", "b"].map((name) => connection.command("SET", name, "1"));
    await redis.kill("SIGKILL");
    await redis.start();
    assertEquals(await Promise.all(answers), ["OK", "OK"]);
    await waitFor({
      what: "the line that it is back",
      read: () => [lines.length, restored],
      until: ([said, called]) => said === 2 && called === 1,
    });
    assertMatch(lines[0] ?? "", /^Redis at 127\.0\.0\.1:\d+\/0 is not reachable \(.*\), retrying$/);
    assertMatch(lines[1] ?? "", /^Redis at 127\.0\.0\.1:\d+\/0 is back after [\d.]+ s$/);
    assertEquals(await connection.serverId() === before, false);
  });

  Deno.test(`RedisConnection.run() loads a script that the server forgot (${name} client)`, async () => {
    await using redis = await startRedisServer();
    await using connection = await RedisConnection.open({
      client,
      address: parseRedisUrl(redis.url),
      report: () => {},
    });
    for (let time = 0; time < 2; time++) {
      assertEquals(await connection.run(SCRIPTS.resign, "", ["nobody"]), 0);
      await redis.cli("SCRIPT", "FLUSH");
    }
  });

  Deno.test(`RedisConnection.run() refuses a call that its script's header does not allow (${name} client)`, async () => {
    await using redis = await startRedisServer();
    await using connection = await RedisConnection.open({
      client,
      address: parseRedisUrl(redis.url),
      report: () => {},
    });
    await assertRejects(
      () => connection.run(SCRIPTS.resign, "", []),
      TypeError,
      "Cannot run resign.lua: 1 arguments are required, got 0",
    );
  });

  Deno.test(`RedisConnection waits while the server is out of memory, and says so once (${name} client)`, async () => {
    await using redis = await startRedisServer();
    const lines: string[] = [];
    await using connection = await RedisConnection.open({
      client,
      address: parseRedisUrl(redis.url),
      report: (line) => lines.push(line),
    });
    await redis.cli("CONFIG", "SET", "maxmemory", "1");
    const answer = connection.command("SET", "a", "1");
    await waitFor({
      what: "the line",
      read: () => lines.length,
      until: (count) => count === 1,
    });
    await redis.cli("CONFIG", "SET", "maxmemory", "0");
    assertEquals(await answer, "OK");
    assertEquals(lines.length, 1);
    assertMatch(lines[0] ?? "", /cannot continue \(OOM .*\), retrying/);
  });

  Deno.test(`RedisConnection rejects what waits when it is closed (${name} client)`, async () => {
    await using redis = await startRedisServer();
    const connection = await RedisConnection.open({
      client,
      address: parseRedisUrl(redis.url),
      report: () => {},
    });
    await redis.kill("SIGSTOP");
    const answer = assertRejects(() => connection.command("PING"), QueueError, "is closed");
    await connection[Symbol.asyncDispose]();
    await answer;
  });

  Deno.test(`RedisConnection.open() ends its wait for an absent server with its signal (${name} client)`, async () => {
    const redis = await startRedisServer();
    await redis[Symbol.asyncDispose]();
    const stop = new AbortController();
    const lines: string[] = [];
    const opening = assertRejects(
      () =>
        RedisConnection.open({
          client,
          address: parseRedisUrl(redis.url),
          report: (line) => {
            lines.push(line);
            stop.abort();
          },
          signal: stop.signal,
        }),
      QueueError,
      "the wait was ended",
    );
    await opening;
    assertEquals(lines.length, 1);
  });
}
