/**
 * What `doctor` looks at: each check opens the very thing that a role would use, and closes it again.
 */

import { readHierarchies } from "../../adapter/place/cgroup_base.ts";
import { chooseControl, openControl } from "../../adapter/place/cpu_control.ts";
import { openMachine } from "../../adapter/start/machine.ts";
import { readOwner } from "../../adapter/owner.ts";
import { readAllowedCpus } from "../../trace/linux/processes.ts";
import { SamplingCalls as CollectorLibc } from "../../collector/sampling_calls.ts";
import { Realtime } from "../../collector/sampling/realtime.ts";
import type { RedisAddress } from "../../scheduler/queue/url.ts";
import { describeAddress } from "../../scheduler/queue/url.ts";
import { messageOf } from "../../trace/atomic_file.ts";
import { formatCpuList } from "../../trace/cpu_list.ts";
import { PINNED_DENO_VERSION } from "../command/main.ts";
import { findProgram } from "./packages.ts";
import { RedisWire } from "../redis/wire.ts";

/** What a check found. */
export interface Finding {
  /** What was looked at. */
  readonly subject: string;
  /** `missing` costs something, `blocking` costs everything. */
  readonly state: "ok" | "missing" | "blocking";
  /** What there is. */
  readonly found: string;
  /** What is lost without it, and what to do; null when nothing is. */
  readonly cost: string | null;
}

function ok(subject: string, found: string): Finding {
  return { subject, state: "ok", found, cost: null };
}

function missing(subject: string, found: string, cost: string): Finding {
  return { subject, state: "missing", found, cost };
}

/** Every finding about this machine. */
export async function examine(redis: RedisAddress): Promise<Finding[]> {
  return [
    checkDeno(),
    checkUser(),
    checkProcesses(),
    ...checkMachine(),
    checkClockSource(),
    ...await checkControl(),
    checkRealtime(),
    await checkFfmpeg(),
    await checkRedisServer(),
    await checkRedis(redis),
  ];
}

function checkDeno(): Finding {
  const { deno } = Deno.version;
  if (deno === PINNED_DENO_VERSION) return ok("Deno", deno);
  const cost = `everything was tried on ${PINNED_DENO_VERSION}: npx -y deno@${PINNED_DENO_VERSION}`;
  return missing("Deno", deno, cost);
}

function checkUser(): Finding {
  const uid = Deno.uid();
  if (uid === 0) return ok("user", "root");
  return missing(
    "user",
    `uid ${uid}`,
    "quotas, cpusets and real-time priority are mostly root's: start the adapter by sudo " +
      "(worker --adapter-command)",
  );
}

function checkProcesses(): Finding {
  try {
    Deno.readTextFileSync("/proc/1/stat");
    const cpus = formatCpuList(readAllowedCpus());
    return ok("/proc", `readable; this process may use CPUs ${cpus}`);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const cost = "nothing can be sampled: mount proc, without hidepid for other users' processes";
    return { subject: "/proc", state: "blocking", found: messageOf(error), cost };
  }
}

/** Starting processes and reading clocks. */
function checkMachine(): Finding[] {
  const { clock, starter, notes } = openMachine();
  using _ = clock;
  const [note] = notes;
  return [
    note === undefined
      ? ok("start of processes", `${starter.kind}, totals by wait4`)
      : missing("start of processes", starter.kind, note),
    clock.isPrecise
      ? ok("clocks", "clock_gettime, nanoseconds")
      : missing("clocks", "/proc/uptime", "intervals on the boot clock are known to 10 ms only"),
  ];
}

function checkClockSource(): Finding {
  const path = "/sys/devices/system/clocksource/clocksource0/current_clocksource";
  const subject = "clock source";
  let source: string;
  try {
    source = Deno.readTextFileSync(path).trim();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    return missing(subject, "unknown", "the cost of reading the clock is unknown");
  }
  // These two are read from a device: about 1 µs instead of 20 ns, at each sample.
  const isSlow = ["hpet", "acpi_pm"].includes(source);
  if (!isSlow) return ok(subject, source);
  return missing(
    subject,
    source,
    "each reading of the clock costs 1 µs: see clocksource= of the kernel",
  );
}

/** cgroups, systemd, and what they give to the two modes of a worker. */
async function checkControl(): Promise<Finding[]> {
  const { clock, libc } = openMachine();
  using _ = clock;
  using control = await openControl({
    owner: readOwner(),
    control: "auto",
    cpus: readAllowedCpus(),
    isLimiting: true,
    env: Deno.env.toObject(),
    libc,
  });
  const { systemd, cgroups } = control;
  const cgroupVersion = cgroups?.limitingVersion ?? null;
  const mounted = readHierarchies().map(({ version, controllers }) =>
    version === 2 ? "v2" : `v1 ${controllers.join("+")}`
  ).join(", ");
  const accounting = cgroups === null
    ? missing(
      "cgroup accounting",
      mounted || "none mounted",
      "what a task forks away is not counted, and is found by its session only",
    )
    : ok("cgroup accounting", `${cgroups.description} (mounted: ${mounted})`);
  const manager = systemd === null
    ? missing(
      "systemd",
      "does not run, or not for this user",
      "no scopes; cgroups or affinity are used instead",
    )
    : ok("systemd", `${systemd.manager} manager`);
  const modes = (["exclusive", "shared"] as const).map((cpu_binding): Finding => {
    const wanted = { cpu_control: "auto" as const, cpu_binding };
    const { kind, note } = chooseControl(wanted, { systemd, cgroupVersion });
    const subject = `${cpu_binding} CPUs`;
    return note === null ? ok(subject, kind) : missing(subject, kind, note);
  });
  return [accounting, manager, ...modes];
}

function checkRealtime(): Finding {
  const subject = "real-time priority";
  using libc = CollectorLibc.open();
  const realtime = libc === null ? Realtime.none() : Realtime.enter(libc);
  if (realtime.isActive) {
    realtime.leave();
    return ok(subject, "permitted");
  }
  return missing(
    subject,
    "not permitted",
    "ticks of the collector are late by tens of ms beside busy tasks: root, CAP_SYS_NICE or rtprio " +
      "in limits.conf",
  );
}

async function checkFfmpeg(): Promise<Finding> {
  const path = await findProgram("ffmpeg");
  const install = "no ffmpeg task can run: deno task setup";
  if (path === null) return { subject: "ffmpeg", state: "blocking", found: "none", cost: install };
  const version = await outputOf(path, "-hide_banner", "-version");
  const encoders = await outputOf(path, "-hide_banner", "-encoders");
  const lacking = ["libx264", "libx265"].filter((name) => !encoders.includes(` ${name} `));
  const [, number = "?"] = /^ffmpeg version (\S+)/.exec(version) ?? [];
  if (lacking.length === 0) return ok("ffmpeg", `${number} with libx264 and libx265`);
  return missing(
    "ffmpeg",
    number,
    `tasks that need ${lacking.join(" and ")} fail: install an ffmpeg that has them`,
  );
}

async function checkRedisServer(): Promise<Finding> {
  const path = await findProgram("redis-server");
  if (path === null) {
    return missing("redis-server", "none", "no controller can run here: deno task setup");
  }
  const [, version = "?"] = /v=(\S+)/.exec(await outputOf(path, "--version")) ?? [];
  return ok("redis-server", version);
}

async function checkRedis(address: RedisAddress): Promise<Finding> {
  const place = describeAddress(address);
  const cost = "no worker or dispatcher can work with it: start the controller, or name another " +
    "with --redis";
  try {
    using wire = await RedisWire.open(address);
    const { username, password } = address;
    const entry = password === null
      ? null
      : await wire.ask("AUTH", username ?? "default", password);
    const reply = entry?.kind === "error" ? entry : await wire.ask("PING");
    const text = reply.kind === "list" ? "a list" : reply.text;
    return reply.kind === "text"
      ? ok("controller", `${place} answers`)
      : missing("controller", `${place} answers ${text}`, "give its password: REDIS_PASSWORD");
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    return missing("controller", `${place}: ${messageOf(error)}`, cost);
  }
}

async function outputOf(program: string, ...args: string[]): Promise<string> {
  const { stdout } = await new Deno.Command(program, { args, stderr: "null" }).output();
  return new TextDecoder().decode(stdout);
}
