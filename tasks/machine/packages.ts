/**
 * Programs that Tracekit needs on a machine: finding them, and installing them with apt-get.
 */

import { join } from "@std/path";
import { CommandError, type Io } from "../command/main.ts";
import { unpackForUser } from "./user_packages.ts";
import { openProgress } from "../command/progress.ts";

/** What setup looks for. */
export const REQUIRED: readonly string[] = ["redis-server", "ffmpeg", "ffprobe"];

/** Debian packages of programs that are not called like them. */
const PACKAGES: Readonly<Record<string, string>> = { "ffprobe": "ffmpeg" };

/** Full path of `program` in the folders of `path`, by default PATH; null when it is in none. */
export async function findProgram(
  program: string,
  path: string = Deno.env.get("PATH") ?? "",
): Promise<string | null> {
  for (const folder of path.split(":")) {
    const file = join(folder || ".", program);
    try {
      const { isFile, mode } = await Deno.stat(file);
      if (isFile && ((mode ?? 0) & 0o111) !== 0) return file;
    } catch (error) {
      if (
        !(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory ||
          error instanceof Deno.errors.PermissionDenied)
      ) throw error;
    }
  }
  return null;
}

/** Those of `programs` that are not in PATH. */
export async function missingPrograms(programs: readonly string[]): Promise<string[]> {
  const found = await Promise.all(programs.map((program) => findProgram(program)));
  return programs.filter((_, index) => found[index] === null);
}

/**
 * Install those of `programs` that are missing, with apt-get as root or by passwordless sudo; else unpack
 * the same packages for this user alone. Returns at once when all are there.
 *
 * @throws {CommandError} with the command to run when this user may not install, or it failed.
 */
export async function ensurePrograms(programs: readonly string[], io: Io): Promise<void> {
  const missing = await missingPrograms(programs);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((program) => PACKAGES[program] ?? program))];
  const byHand = `apt-get update && apt-get install -y ${packages.join(" ")}`;
  if (await findProgram("apt-get") === null) {
    throw new CommandError(
      `missing: ${missing.join(", ")}; there is no apt-get here, install ${
        packages.join(" and ")
      } with this system's package manager`,
    );
  }
  const privilege = await findPrivilege();
  if (privilege === null) {
    try {
      await unpackForUser({ programs: missing, packages }, io);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      const asRoot = await findProgram("sudo") === null ? "su -c" : "sudo sh -c";
      throw new CommandError(
        `missing: ${missing.join(", ")}; ${error.message}; run: ${asRoot} '${byHand}'`,
        { cause: error },
      );
    }
    return await requirePrograms(programs, packages);
  }
  io.say(`Installing ${packages.join(", ")} with apt-get`);
  const install = ["install", "-y", "--no-install-recommends", ...packages];
  // Without package lists, or with old ones, the first try fails; then they are fetched.
  const first = await aptGet(install, { privilege, io });
  if (first !== null) {
    const update = await aptGet(["update"], { privilege, io });
    const second = update ?? await aptGet(install, { privilege, io });
    if (second !== null) {
      throw new CommandError(`apt-get failed: ${second} (to try by hand: ${byHand})`);
    }
  }
  await requirePrograms(programs, packages);
}

async function requirePrograms(
  programs: readonly string[],
  packages: readonly string[],
): Promise<void> {
  const still = await missingPrograms(programs);
  if (still.length === 0) return;
  throw new CommandError(
    `installed ${packages.join(", ")}, but ${still.join(", ")} is not in PATH`,
  );
}

/** What to put before a command so that it runs as root; null when this user may not. */
export async function findPrivilege(): Promise<readonly string[] | null> {
  if (Deno.uid() === 0) return [];
  if (await findProgram("sudo") === null) return null;
  const { success } = await new Deno.Command("sudo", {
    args: ["-n", "true"],
    stdout: "null",
    stderr: "null",
  }).output();
  return success ? ["sudo", "-n"] : null;
}

/** Time that apt-get waits for another package manager to end, s: automatic updates take a few minutes. */
const LOCK_TIMEOUT_S = 300;

/** Run apt-get; null when it succeeded, else its last lines. */
async function aptGet(
  args: readonly string[],
  { privilege, io }: { readonly privilege: readonly string[]; readonly io: Io },
): Promise<string | null> {
  const command = [
    ...privilege,
    ...["env", "DEBIAN_FRONTEND=noninteractive", "LC_ALL=C", "apt-get", "-q"],
    ...["-o", `DPkg::Lock::Timeout=${LOCK_TIMEOUT_S}`, "-o", "APT::Status-Fd=1"],
    ...args,
  ];
  using progress = openProgress(io, `apt-get ${args[0]}`);
  const child = new Deno.Command(command[0] as string, {
    args: command.slice(1),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [status, errors] = await Promise.all([
    child.status,
    new Response(child.stderr).text(),
    followStatus(child.stdout, (done, what) => progress.update(done, what)),
  ]);
  return status.success ? null : lastLine(errors) ?? `exit code ${status.code}`;
}

/** Status lines of apt-get: `dlstatus:1:20.5:Retrieving…`, `pmstatus:ffmpeg:60.0:Installing ffmpeg`. */
async function followStatus(
  stdout: ReadableStream<Uint8Array<ArrayBuffer>>,
  onStatus: (done: number, what: string) => void,
): Promise<void> {
  let rest = "";
  for await (const chunk of stdout.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop() ?? "";
    for (const line of lines) {
      const [, percent, what] = /^(?:dl|pm)status:[^:]*:([\d.]+):(.*)$/.exec(line) ?? [];
      if (percent !== undefined) onStatus(Number(percent) / 100, what ?? "");
    }
  }
}

function lastLine(text: string): string | null {
  return text.trim().split("\n").at(-1) || null;
}
