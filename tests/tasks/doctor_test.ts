import { assert, assertEquals, assertMatch } from "@std/assert";
import { findingLines } from "../../tasks/doctor.ts";
import type { Finding } from "../../tasks/machine/checks.ts";
import { runCommand } from "../support/command_process.ts";
import { startRedisServer } from "../support/redis_server.ts";

function findingOf(stdout: string, subject: string): Finding {
  const finding = (JSON.parse(stdout) as Finding[]).find((one) => one.subject === subject);
  assert(finding !== undefined, `${subject} is looked at`);
  return finding;
}

Deno.test("findingLines() puts the cost below what is missing", () => {
  const lines = findingLines([
    { subject: "a", state: "ok", found: "x", cost: null },
    { subject: "long", state: "missing", found: "y", cost: "z" },
  ]);
  assertEquals(lines, ["ok      a     x", "missing long  y", "              → z"]);
});

Deno.test("doctor says of every missing thing what it costs", async () => {
  const { code, stdout } = await runCommand(["doctor", "--json", "--redis", "redis://127.0.0.1:1"]);
  assertEquals(code, 0);
  for (const { subject, state, cost } of JSON.parse(stdout) as Finding[]) {
    assertEquals(cost === null, state === "ok", subject);
  }
  const controller = findingOf(stdout, "controller");
  assertEquals(controller.state, "missing");
  assertMatch(controller.found, /127.0.0.1:1/);
  for (const subject of ["/proc", "ffmpeg", "redis-server", "start of processes", "shared CPUs"]) {
    assertEquals(findingOf(stdout, subject).state !== "blocking", true, subject);
  }
});

Deno.test("doctor tells a Redis that answers from one that wants a password", async () => {
  await using redis = await startRedisServer();
  const open = await runCommand(["doctor", "--json", "--redis", redis.url]);
  assertEquals(findingOf(open.stdout, "controller").state, "ok");
  const stranger = await runCommand(
    ["doctor", "--json", "--redis", `redis://127.0.0.1:${redis.port}`],
  );
  const { state, found } = findingOf(stranger.stdout, "controller");
  assertEquals(state, "missing");
  assertMatch(found, /NOAUTH/);
});

Deno.test("doctor exits with 1 where no node can work", async () => {
  const bare = await runCommand(["doctor", "--json"], { env: { PATH: "/nowhere" } });
  assertEquals(bare.code, 1);
  assertEquals(findingOf(bare.stdout, "ffmpeg").state, "blocking");
});
