/**
 * Connections that break between what Redis did and its reply: the command is sent again, and nothing
 * may be done twice or forgotten for that.
 */

import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { ResultsDrain } from "../../../scheduler/results_drain.ts";
import { type Script, SCRIPTS } from "../../../scheduler/queue/scripts.ts";
import {
  FOUR_UNITS,
  LONG_LEASES,
  openTestQueue,
  registerNode,
  runClaimed,
  startScheduler,
  testTask,
} from "../../support/queue_actors.ts";
import { type RedisServer, startRedisServer } from "../../support/redis_server.ts";
import { Relay } from "../../support/relay.ts";
import { waitFor } from "../../support/wait_for.ts";

/** A server that knows `script` already, so that its first call is not refused. */
async function serverWith(script: Script): Promise<RedisServer> {
  const redis = await startRedisServer();
  await redis.cli("SCRIPT", "LOAD", script.source);
  return redis;
}

Deno.test("claim() gives out what it took when the reply was lost", async () => {
  await using redis = await serverWith(SCRIPTS.claim);
  await using relay = Relay.to(redis.port);
  await using direct = await openTestQueue(redis);
  await using far = await openTestQueue({ url: relay.through(redis.url) });
  await using _scheduler = await startScheduler(redis);
  await using worker = far.worker("n1", LONG_LEASES);
  assertEquals(await worker.register(FOUR_UNITS), 0);
  await direct.enqueue([testTask("a"), testTask("b")]);
  await waitFor({
    what: "both to be assigned",
    read: () => redis.cli("ZCARD", "tk:assigned:n1"),
    until: (count) => count === "2",
  });
  const lost = relay.loseReplyTo(SCRIPTS.claim.sha1);
  const claim = worker.claim(10);
  await lost;
  await waitFor({
    what: "both to be claimed",
    read: () => redis.cli("HLEN", "tk:running:n1"),
    until: (count) => count === "2",
  });
  relay.open();
  const { claimed } = await claim;
  const given = claimed.map(({ task: { task_id, attempt } }) => [task_id, attempt]);
  assertEquals(given.toSorted(), [["a", 1], ["b", 1]]);
});

Deno.test("claim() gives out what it took of its node's own queue when the reply was lost", async () => {
  await using redis = await serverWith(SCRIPTS.claimDirect);
  await using relay = Relay.to(redis.port);
  await using direct = await openTestQueue(redis);
  await using far = await openTestQueue({ url: relay.through(redis.url) });
  await using worker = far.worker("n1", LONG_LEASES);
  assertEquals(await worker.register(FOUR_UNITS), 0);
  await direct.enqueueOn("n1", [testTask("a")]);
  const lost = relay.loseReplyTo(SCRIPTS.claimDirect.sha1);
  const claim = worker.claim(10);
  await lost;
  await waitFor({
    what: "it to be claimed",
    read: () => redis.cli("HLEN", "tk:running:n1"),
    until: (count) => count === "1",
  });
  relay.open();
  assertEquals((await claim).claimed.map(({ task: { task_id } }) => task_id), ["a"]);
});

Deno.test("ResultsDrain forgets no result that it has not written when a reply was lost", async () => {
  await using redis = await serverWith(SCRIPTS.trimResults);
  await using relay = Relay.to(redis.port);
  await using direct = await openTestQueue(redis);
  await using far = await openTestQueue({ url: relay.through(redis.url) });
  await using view = far.scheduler("s1", LONG_LEASES);
  await view.lead();
  await using worker = await registerNode(direct, "n1");
  const path = join(redis.directory, "results.jsonl");
  using drain = ResultsDrain.open(path, view);
  await direct.enqueueOn("n1", ["a", "b"].map((id) => testTask(id)));
  assertEquals(await runClaimed(worker), ["a", "b"]);
  const lost = relay.loseReplyTo(SCRIPTS.trimResults.sha1);
  const drained = drain.drain();
  await lost;
  await waitFor({
    what: "the written ones to be forgotten",
    read: () => redis.cli("LLEN", "tk:results"),
    until: (count) => count === "0",
  });
  await direct.enqueueOn("n1", ["c", "d", "e"].map((id) => testTask(id)));
  assertEquals(await runClaimed(worker), ["c", "d", "e"]);
  relay.open();
  await drained;
  await drain.drain();
  const written = (await Deno.readTextFile(path)).trim().split("\n");
  assertEquals(written.map((line) => JSON.parse(line).task_id), ["a", "b", "c", "d", "e"]);
});

Deno.test("runCentral() sees free capacity when the reply that told of it was lost", async () => {
  await using redis = await serverWith(SCRIPTS.readNodes);
  await using relay = Relay.to(redis.port);
  await using direct = await openTestQueue(redis);
  await using worker = await registerNode(direct, "n1", { capacityUnits: 1 });
  await using scheduler = await startScheduler(redis, { url: relay.through(redis.url) });
  await direct.enqueue([testTask("a"), testTask("b")]);
  await waitFor({
    what: "a to be assigned and b to wait",
    read: () => scheduler.events(),
    until: (events) => events.some(({ event, task_id }) => event === "waiting" && task_id === "b"),
  });
  relay.hold();
  assertEquals(await runClaimed(worker), ["a"]);
  const lost = relay.loseReplyTo(SCRIPTS.readNodes.sha1);
  relay.release();
  await lost;
  await waitFor({
    what: "the change to be read",
    read: () => redis.cli("SCARD", "tk:dirty"),
    until: (count) => count === "0",
  });
  relay.open();
  await waitFor({
    what: "b to be assigned",
    read: () => redis.cli("ZCARD", "tk:assigned:n1"),
    until: (count) => count === "1",
  });
});

Deno.test("runCentral() records a placement whose reply was lost", async () => {
  await using redis = await serverWith(SCRIPTS.assign);
  await using relay = Relay.to(redis.port);
  await using direct = await openTestQueue(redis);
  await using _worker = await registerNode(direct, "n1");
  await using scheduler = await startScheduler(redis, { url: relay.through(redis.url) });
  const lost = relay.loseReplyTo(SCRIPTS.assign.sha1);
  await direct.enqueue([testTask("a"), testTask("b")]);
  await lost;
  await waitFor({
    what: "both to be assigned",
    read: () => redis.cli("ZCARD", "tk:assigned:n1"),
    until: (count) => count === "2",
  });
  relay.open();
  const events = await waitFor({
    what: "both on record",
    read: () => scheduler.events(),
    until: (found) => found.filter(({ event }) => event === "placed").length === 2,
  });
  const placed = events.filter(({ event }) => event === "placed");
  assertEquals(placed.map(({ task_id, node }) => [task_id, node]), [["a", "n1"], ["b", "n1"]]);
});
