/**
 * A redis-server of one's own: loopback, free port, random password, its own folder, AOF on.
 */

import { join } from "@std/path";
import { writeFileAtomic } from "../../trace/atomic_file.ts";
import { CommandError } from "../command/main.ts";
import type { Supervised, Supervisor } from "../machine/supervisor.ts";

/** A running private server. */
export interface PrivateRedis {
  /** Where it is, without the password. */
  readonly url: string;
  /** Its password. */
  readonly password: string;
  /** Its process. */
  readonly process: Supervised;
}

/** How long a start may take, ms: a cold start takes 50 ms, a busy laptop a second. */
const START_LIMIT_MS = 15_000;

/** Start a private server with its files in `folder`; it is ready when this resolves. */
export async function startPrivateRedis(
  supervisor: Supervisor,
  folder: string,
): Promise<PrivateRedis> {
  await Deno.mkdir(folder, { recursive: true });
  const port = freePort();
  const password = crypto.randomUUID().replaceAll("-", "");
  const configuration = join(folder, "redis.conf");
  await writeFileAtomic(configuration, configurationOf({ port, password, folder }), {
    mode: 0o600,
  });
  const process = supervisor.start({
    name: "redis-server",
    command: ["redis-server", configuration],
    logFile: join(folder, "redis.log"),
  });
  await supervisor.during(waitForPort(port));
  return { url: `redis://127.0.0.1:${port}/0`, password, process };
}

interface Configuration {
  readonly port: number;
  readonly password: string;
  readonly folder: string;
}

function configurationOf({ port, password, folder }: Configuration): string {
  return [
    "bind 127.0.0.1",
    "protected-mode yes",
    `port ${port}`,
    `requirepass ${password}`,
    `dir "${folder}"`,
    "appendonly yes",
    "appendfsync everysec",
    'save ""',
    "maxmemory-policy noeviction",
    "",
  ].join("\n");
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return listener.addr.port;
}

async function waitForPort(port: number): Promise<void> {
  const deadline = performance.now() + START_LIMIT_MS;
  for (;;) {
    try {
      (await Deno.connect({ hostname: "127.0.0.1", port })).close();
      return;
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
      if (performance.now() > deadline) {
        throw new CommandError(`redis-server did not listen on port ${port} within 15 s`);
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
}
