/** What a deployment has its hosts do, as shell scripts. Pure. */

/** `text` as one word of a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** How a role is started on a host. */
export interface RoleStart {
  /** Its executable, `tracekit-<role>`. */
  readonly role: string;
  /** Arguments. */
  readonly args: readonly string[];
  /** Files of variables, in the order in which they are read. */
  readonly environment: readonly string[];
  /** RUN_ID. */
  readonly runId: string;
}

/**
 * Start a role that outlives the login: as a transient unit where systemd runs and we are root (a user's
 * units end with the login unless lingering is on), else in a session of its own. Its words go to
 * `<role>.log` either way.
 */
export function startScript({ role, args, environment, runId }: RoleStart): string {
  const words = [`./tracekit-${role}`, ...args].map(shellWord).join(" ");
  const sources = environment.map((file) => `. ./${shellWord(file)}`).join("; ");
  const line = `set -a; ${sources}; set +a; exec ${words} >>${role}.log 2>&1 </dev/null`;
  return [
    `if [ -d /run/systemd/system ] && [ "$(id -u)" = 0 ]; then`,
    `  systemd-run --quiet --collect --unit=${shellWord(`tracekit-${role}-${runId}`)} \\`,
    `    --property=KillMode=mixed --property=Delegate=yes --working-directory="$PWD" \\`,
    `    sh -c ${shellWord(line)}`,
    "else",
    `  setsid sh -c ${shellWord(line)} &`,
    "fi",
  ].join("\n");
}

/** Sums of the files `names` in the current folder, of those that are there: `sha256  name` lines. */
export function sumsScript(names: readonly string[]): string {
  return `sha256sum -- ${names.map(shellWord).join(" ")} 2>/dev/null || true`;
}

/** The files below the folder of a run: size, time of change and path, a line each. */
export function listScript(runId: string): string {
  return `cd logs/${
    shellWord(runId)
  } 2>/dev/null && find . -type f ! -name '*.tmp-*' ! -path './redis/*' ` +
    `-printf '%s %T@ %P\\n' || true`;
}

/**
 * A tar archive of the files below the folder of a run whose names come on stdin, a line each. Files of a
 * run that still continues grow while they are read: tar(1) ends with 1 then, and the archive is whole.
 */
export function packScript(runId: string): string {
  return `cd logs/${shellWord(runId)} && { tar --format=posix -cf - --verbatim-files-from -T -` +
    ` || [ $? = 1 ]; }`;
}

/** One role on record on a host. */
export interface FoundRole {
  /** RUN_ID. */
  readonly runId: string;
  /** Name of the role, without what tells several of it apart. */
  readonly role: string;
  /** Its process. */
  readonly pid: number;
  /** True while that process, and no later one with its pid, lives. */
  readonly isRunning: boolean;
}

/** The roles that are on record here, and Redis: a line `path pid state` each; {@linkcode parseRoles}. */
export const ROLES_SCRIPT = `started() {
  sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}
for file in logs/*/roles/*.json logs/*/*/roles/*.json; do
  [ -e "$file" ] || continue
  pid=$(sed -n 's/.*"pid": \\([0-9]*\\).*/\\1/p' "$file")
  ticks=$(sed -n 's/.*"start_ticks": \\([0-9]*\\).*/\\1/p' "$file")
  state=gone
  [ -n "$pid" ] && [ "$(started "$pid")" = "$ticks" ] && state=running
  echo "$file $pid $state"
done
pid=$(cat controller/redis.pid 2>/dev/null)
[ -n "$pid" ] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = redis-server ] &&
  echo "logs//roles/redis.json $pid running"
:`;

/** What {@linkcode ROLES_SCRIPT} printed. Redis belongs to no run: its is empty. */
export function parseRoles(text: string): FoundRole[] {
  return text.split("\n").filter((line) => line !== "").map((line) => {
    const [path = "", pid, state] = line.split(" ");
    const [, runId = ""] = path.split("/");
    const [role = ""] = path.slice(path.lastIndexOf("/") + 1).split(".");
    return { runId, role, pid: Number(pid), isRunning: state === "running" };
  });
}
