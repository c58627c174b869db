/** A service behind the HTTP adapter, from its requests to an OpenDC workload, by the commands of a user. */

import { assertAlmostEquals, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { INVOCATION, PROC_METRIC } from "../../trace/cts.ts";
import { INVOCATION_EVENT, PROCESS, RUN_META, SERVICE_CPU } from "../../trace/records.ts";
import { startBurningService } from "../support/burning_service.ts";
import { runCommand, startCommand } from "../support/command_process.ts";
import { CAN_RUN_CONTAINERS, newContainerId, runContainer } from "../support/oci_container.ts";
import { freePort } from "../support/ports.ts";
import { RawPeer } from "../support/raw_peer.ts";
import { CAN_MOUNT, tinyFilesystem } from "../support/tiny_filesystem.ts";
import { tempFolder } from "../support/temp_folder.ts";

async function records<T>(
  path: string,
  decode: (value: unknown, where: string) => T,
): Promise<T[]> {
  const lines = (await Deno.readTextFile(path)).trimEnd().split("\n");
  return lines.map((line) => decode(JSON.parse(line), path));
}

function sumOf(values: readonly (number | null)[]): number {
  return values.reduce((sum: number, value) => sum + (value ?? NaN), 0);
}

Deno.test("adapt-http, parse, export and verify conserve the CPU time of a service", async () => {
  await using folder = await tempFolder();
  await using service = await startBurningService();
  const port = freePort();
  const run = ["RUN_ID=web", "--node-id", "n1", "--logs", join(folder.path, "logs")];
  await using adapter = startCommand([
    "adapt_http",
    ...run,
    ...["--listen", `127.0.0.1:${port}`, "--target", `http://127.0.0.1:${service.port}`],
    ...["--pid", String(service.pid), "PROC_INTERVAL_MS=50"],
  ]);
  await adapter.says(/^requests are forwarded to/);
  // All requests of one trace: the span tells them apart.
  const headers = { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" };
  await Promise.all([5, 50, 100, 150].map(async (ms) => {
    const response = await fetch(`http://127.0.0.1:${port}/burn?ms=${ms}`, { headers });
    assertEquals(await response.text(), "done\n");
  }));
  adapter.kill("SIGTERM");
  const ended = await adapter.ended;
  assertEquals(ended.code, 0, ended.stderr);
  assertEquals(ended.stdout, `http://127.0.0.1:${port}\n`);
  assertStringIncludes(ended.stderr, "4 requests recorded");

  const logs = join(folder.path, "logs/web");
  const events = await records(join(logs, "events.http.jsonl"), INVOCATION_EVENT.decode);
  const meta = RUN_META.decode(
    JSON.parse(await Deno.readTextFile(join(logs, "run_meta.adapt-http.json"))),
    "run_meta",
  );
  assertEquals(meta.flags.pid, String(service.pid));
  const intervals = await records(join(logs, "service_cpu.jsonl"), SERVICE_CPU.decode);
  const totalMs = sumOf(intervals.map(({ cpu_ms }) => cpu_ms));
  const backgroundMs = sumOf(intervals.map(({ background_ms }) => background_ms));
  assertAlmostEquals(sumOf(events.map(({ cpu_ms }) => cpu_ms)) + backgroundMs, totalMs, 1e-6);
  assertEquals(totalMs >= 305, true, `${totalMs} ms`);

  const parsed = await runCommand(["run", "parse", "--run-id", "web", "--logs", join(logs, "..")]);
  assertEquals(parsed.code, 0, parsed.stderr);
  assertStringIncludes(parsed.stderr, "audit PASS");
  const invocations = await records(join(logs, "CTS/invocations.jsonl"), INVOCATION.decode);
  const rows = await records(join(logs, "CTS/proc_metrics.jsonl"), PROC_METRIC.decode);
  assertEquals(invocations.map(({ state }) => state), Array(4).fill("done"));
  for (const { span_id, cpu_ms } of invocations) {
    const own = rows.filter((row) => row.span_id === span_id);
    assertAlmostEquals(sumOf(own.map((row) => row.cpu_ms)), cpu_ms ?? NaN, 1e-6);
    const isPossible = own.every((row) => row.cpu_ms <= row.dt_ms * navigator.hardwareConcurrency);
    assertEquals(isPossible, true, JSON.stringify(own));
  }
  // A request that lives over several intervals has a row for each.
  assertEquals(rows.length > 4, true, `${rows.length} rows`);
  const apart = rows.filter(({ trace_id }) => trace_id === null);
  assertAlmostEquals(sumOf(apart.map(({ cpu_ms }) => cpu_ms)), backgroundMs, 0.001);

  const workload = join(folder.path, "opendc");
  const from = ["--run-id", "web", "--logs", join(logs, ".."), "--output", workload];
  const exported = await runCommand(["run", "export-opendc", ...from]);
  assertEquals(exported.code, 0, exported.stderr);
  assertMatch(exported.stderr + exported.stdout, /Exported 4 tasks/);
  const verified = await runCommand([
    "run",
    "verify-opendc",
    "--input",
    workload,
    "--cts",
    join(logs, "CTS"),
  ]);
  assertEquals(verified.code, 0, verified.stdout + verified.stderr);
});

Deno.test({
  name: "adapt-http and start-collect follow a real container by its id",
  ignore: !CAN_RUN_CONTAINERS,
  fn: async () => {
    await using folder = await tempFolder();
    const id = newContainerId();
    const servicePort = freePort();
    await using _container = await runContainer({
      cgroup: `/docker/${id}`,
      script: `exec httpd -f -p 127.0.0.1:${servicePort} -h /www`,
      files: { "www/hello.txt": "hello" },
    });
    const port = freePort();
    const run = ["RUN_ID=web", "--node-id", "n1", "--logs", join(folder.path, "logs")];
    const container = ["--container", id.slice(0, 12)];
    const started = await runCommand(["start_collect", ...run, ...container, "TIME_SYNC=0"]);
    assertEquals(started.code, 0, started.stderr);
    await using adapter = startCommand([
      "adapt_http",
      ...run,
      ...container,
      ...["--listen", `127.0.0.1:${port}`, "--target", `http://127.0.0.1:${servicePort}`],
    ]);
    assertStringIncludes(await adapter.says(/^requests are forwarded to/), `docker://${id}`);
    for (let request = 0; request < 20; request++) {
      const response = await fetch(`http://127.0.0.1:${port}/hello.txt`);
      assertEquals(await response.text(), "hello");
    }
    adapter.kill("SIGTERM");
    assertEquals((await adapter.ended).code, 0);
    await runCommand(["stop_collect", ...run]);

    const logs = join(folder.path, "logs/web");
    const events = await records(join(logs, "events.http.jsonl"), INVOCATION_EVENT.decode);
    assertEquals(new Set(events.map((event) => event.container)), new Set([`docker://${id}`]));
    // httpd forks for each request: only its cgroup sees those children.
    assertEquals(sumOf(events.map(({ cpu_ms }) => cpu_ms)) > 0, true);
    const processes = await records(join(logs, "processes.jsonl"), PROCESS.decode);
    assertEquals(processes.length > 0, true);
    assertEquals(new Set(processes.map((one) => one.container)), new Set([`docker://${id}`]));
  },
});

const WRONG = [
  {
    what: "no target",
    args: ["--listen", "127.0.0.1:0"],
    code: 2,
    says: "--target must be http://HOST:PORT without a path, got null",
  },
  {
    what: "a target with a path",
    args: ["--listen", "127.0.0.1:0", "--target", "http://x:1/path"],
    code: 2,
    says: "without a path",
  },
  {
    what: "a port that is none",
    args: ["--listen", "127.0.0.1:99999", "--target", "http://127.0.0.1:1"],
    code: 2,
    says: "--listen must be HOST:PORT",
  },
  {
    what: "two services",
    args: [
      "--listen",
      "127.0.0.1:0",
      "--target",
      "http://127.0.0.1:1",
      "--pid",
      "1",
      "--cgroup",
      "/",
    ],
    code: 2,
    says: "exclude each other",
  },
  {
    what: "a process that is not there",
    args: ["--listen", "127.0.0.1:0", "--target", "http://127.0.0.1:1", "--pid", "99999999"],
    code: 1,
    says: "there is no such process",
  },
  {
    what: "an address that is not its own",
    args: ["--listen", "192.0.2.1:80", "--target", "http://127.0.0.1:1"],
    code: 1,
    says: "Cannot listen on 192.0.2.1:80",
  },
] as const;

Deno.test.each(WRONG)("adapt-http refuses $what", async ({ args, code, says }) => {
  await using folder = await tempFolder();
  const run = ["RUN_ID=web", "--node-id", "n1", "--logs", join(folder.path, "logs")];
  const ended = await runCommand(["adapt_http", ...run, ...args]);
  assertEquals(ended.code, code, ended.stderr);
  assertStringIncludes(ended.stderr, says);
});

Deno.test("adapt-http breaks open requests off after its grace, and records them", async () => {
  await using folder = await tempFolder();
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = freePort();
  const run = ["RUN_ID=web", "--node-id", "n1", "--logs", join(folder.path, "logs")];
  await using adapter = startCommand([
    "adapt_http",
    ...run,
    ...["--listen", `127.0.0.1:${port}`, "--target", `http://127.0.0.1:${silent.addr.port}`],
    ...["--grace-s", "0.2"],
  ]);
  await adapter.says(/^requests are forwarded to/);
  await using client = await RawPeer.connect(port);
  await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  using _conn = await silent.accept();
  adapter.kill("SIGTERM");
  const ended = await adapter.ended;
  assertEquals(ended.code, 0, ended.stderr);
  assertStringIncludes(ended.stderr, "1 requests are on their way");
  const [event] = await records(
    join(folder.path, "logs/web/events.http.jsonl"),
    INVOCATION_EVENT.decode,
  );
  assertEquals([event?.is_aborted, event?.reason], [true, "the adapter was stopped"]);
  assertMatch((await client.toEnd()).text, /^HTTP\/1\.1 502 /);
});

Deno.test({
  name: "adapt-http continues beside a full disk, says so, and ends with a failure",
  ignore: !CAN_MOUNT,
  fn: async () => {
    await using disk = await tinyFilesystem({ bytes: 64 * 1024 });
    await using service = await startBurningService();
    const port = freePort();
    await using adapter = startCommand([
      "adapt_http",
      ...["RUN_ID=web", "--node-id", "n1", "--logs", disk.path],
      ...["--listen", `127.0.0.1:${port}`, "--target", `http://127.0.0.1:${service.port}`],
    ]);
    await adapter.says(/^requests are forwarded to/);
    for (let request = 0; request < 200; request++) {
      assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "done\n");
    }
    await adapter.says(/No space left on device.*kept until that works again$/);
    assertEquals(await (await fetch(`http://127.0.0.1:${port}/`)).text(), "done\n");
    adapter.kill("SIGTERM");
    const ended = await adapter.ended;
    assertEquals(ended.code, 1, ended.stderr);
    assertMatch(ended.stderr, /^adapt-http: \d+ records could not be written$/m);
  },
});
