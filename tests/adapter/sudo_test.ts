/** A root adapter behind a real sudo, as docs/ recommends it: what its caller says gives no right. */

import { join } from "@std/path";
import { assert, assertEquals, assertMatch, assertRejects, assertThrows } from "@std/assert";
import { AdapterStartError } from "../../adapter/client.ts";
import { AdapterError, callerOf, userOfTasks } from "../../adapter/tasks_user.ts";
import { isThere } from "../../trace/atomic_file.ts";
import { readProcessStat } from "../../trace/linux/processes.ts";
import { type AdapterOptions, startAdapter, type TestAdapter } from "../support/adapter_process.ts";
import { hasPrograms } from "../support/has_program.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { CAN_MOUNT } from "../support/tiny_filesystem.ts";

/** nobody, whom every Debian has. */
const USER = { uid: 65534, gid: 65534 };
const IS_READY = Deno.uid() === 0 && CAN_MOUNT && await hasPrograms("sudo", "setpriv");

interface SudoAdapter extends AsyncDisposable {
  readonly adapter: TestAdapter;
  readonly root: string;
}

/** A folder of the user's, in which a root adapter was started by sudo; sudoers is one of our own. */
async function startBySudo(
  { prepare = () => Promise.resolve(), ...hello }: AdapterOptions & {
    readonly prepare?: (root: string) => Promise<unknown>;
  } = {},
): Promise<SudoAdapter> {
  const folder = await tempFolder();
  const root = await Deno.realPath(folder.path);
  const sudoers = join(root, "sudoers");
  await Deno.writeTextFile(sudoers, "nobody ALL=(root) NOPASSWD: ALL\n", { mode: 0o440 });
  for (const name of ["outputs", "run", "run/adapters"]) await Deno.mkdir(join(root, name));
  await prepare(root);
  for (const path of [root, ...["outputs", "run", "run/adapters"].map((one) => join(root, one))]) {
    await Deno.chown(path, USER.uid, USER.gid);
  }
  const through = [
    ...["unshare", "--mount", "sh", "-c"],
    `mount --bind ${sudoers} /etc/sudoers && shift && exec setpriv --reuid ${USER.uid} ` +
    `--regid ${USER.gid} --clear-groups sudo -n "$@"`,
    ...["sh", "sh"],
  ];
  try {
    const adapter = await startAdapter({ root, through, allowed_commands: ["sh", "id"], ...hello });
    return {
      adapter,
      root,
      async [Symbol.asyncDispose](): Promise<void> {
        await adapter[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await folder[Symbol.asyncDispose]();
    throw error;
  }
}

const BY_SUDO = { ignore: !IS_READY };

Deno.test(
  "a root adapter takes its user from sudo, whatever the hello leaves out",
  BY_SUDO,
  async () => {
    await using user = await startBySudo({ uid: null, gid: null });
    const argv = ["sh", "-c", "id -u; id -g; id -G; grep CapEff /proc/self/status"];
    const { status, stderr_tail } = await user.adapter.exitOf({
      argv: [...argv.slice(0, 2), `{ ${argv[2]}; } >o`],
    });
    assertEquals([status, stderr_tail], [0, null]);
    assertEquals(
      await Deno.readTextFile(join(user.root, "outputs/o")),
      "65534\n65534\n65534\nCapEff:\t0000000000000000\n",
    );
  },
);

Deno.test("a root adapter refuses to run tasks as root for another user", BY_SUDO, async () => {
  const refusal = "Cannot run tasks as user 0: the caller of sudo is user 65534";
  await assertRejects(() => startBySudo({ uid: 0, gid: 0 }), AdapterStartError, refusal);
});

Deno.test(
  "a root adapter serves no folder where the caller of sudo may not write",
  BY_SUDO,
  async () => {
    await using folder = await tempFolder();
    const outputs_dir = join(await Deno.realPath(folder.path), "roots");
    await Deno.mkdir(outputs_dir, { mode: 0o755 });
    const refusal = "Permission denied";
    const { uid, gid } = USER;
    for (
      const place of [{ outputs_dir }, { run_dir: outputs_dir }, { run_dir: `${outputs_dir}/run` }]
    ) {
      await assertRejects(() => startBySudo({ uid, gid, ...place }), AdapterStartError, refusal);
    }
    assertEquals([...Deno.readDirSync(outputs_dir)], []);
  },
);

Deno.test(
  "a root adapter sweeps with the caller's rights, and kills what is the caller's",
  BY_SUDO,
  async () => {
    await using folder = await tempFolder();
    const roots = join(await Deno.realPath(folder.path), "roots");
    await Deno.mkdir(roots, { mode: 0o755 });
    const precious = join(roots, "precious");
    await Deno.writeTextFile(precious, "root's");
    await using rootsOwn = new Deno.Command("setsid", { args: ["sleep", "60"] }).spawn();
    const startTicks = readProcessStat(rootsOwn.pid)?.startTicks;
    const { uid, gid } = USER;
    const prepare = async (root: string): Promise<void> => {
      const line = {
        state: "running",
        span_id: "a",
        pid: rootsOwn.pid,
        start_ticks: startTicks,
        part_files: [precious],
      };
      const bootId = (await Deno.readTextFile("/proc/sys/kernel/random/boot_id")).slice(0, 8);
      const { ino: pids } = await Deno.stat("/proc/self/ns/pid");
      const { ino: times } = await Deno.stat("/proc/self/ns/time");
      const name = `${2 ** 22 - 1}-1-${pids}.${times}.${bootId}.jsonl`;
      await Deno.writeTextFile(join(root, "run/adapters", name), `${JSON.stringify(line)}\n`, {
        mode: 0o666,
      });
      await Deno.chown(join(root, "run/adapters", name), uid, gid);
    };
    await using user = await startBySudo({ uid, gid, prepare });
    const { swept, notes } = user.adapter.client.ready;
    assertEquals(swept, 1);
    assertMatch(notes.join("\n"), /Cannot clear away .*Permission denied.*precious/);
    assertEquals(await isThere(precious), true);
    assertEquals(readProcessStat(rootsOwn.pid)?.startTicks, startTicks);
    rootsOwn.kill("SIGKILL");
  },
);

Deno.test("callerOf() believes sudo alone", () => {
  const caller = (env: Record<string, string>) => callerOf({ env });
  assertEquals(caller({}), null);
  assertEquals(caller({ SUDO_UID: "0", SUDO_GID: "0" }), null);
  assertEquals(caller({ SUDO_UID: "1000", SUDO_GID: "100" }), { uid: 1000, gid: 100 });
  const bad: Record<string, string>[] = [
    { SUDO_UID: "1000" },
    { SUDO_GID: "0" },
    { SUDO_UID: "", SUDO_GID: "1" },
    { SUDO_UID: "-1", SUDO_GID: "1" },
    { SUDO_UID: "4294967295", SUDO_GID: "1" },
    { SUDO_UID: "0x0", SUDO_GID: "1" },
    { DOAS_USER: "ann" },
    { PKEXEC_UID: "1000" },
  ];
  for (const env of bad) assertThrows(() => caller(env), AdapterError, "Cannot serve as root");
});

Deno.test("userOfTasks() gives nobody rights that its caller does not have", () => {
  const root = { ownUid: 0, env: {} };
  const sudo = { ownUid: 0, env: { SUDO_UID: "1000", SUDO_GID: "100" } };
  const user = { ownUid: 1000, env: { SUDO_UID: "0", SUDO_GID: "0" } };
  assertEquals(userOfTasks({ uid: 5, gid: 6 }, root), { uid: 5, gid: 6 });
  assertEquals(userOfTasks({ uid: null, gid: null }, root), null);
  assertEquals(userOfTasks({ uid: 1000, gid: 0 }, sudo), { uid: 1000, gid: 100 });
  assertEquals(userOfTasks({ uid: null, gid: 0 }, sudo), { uid: 1000, gid: 100 });
  assertEquals(userOfTasks({ uid: 1000, gid: 1000 }, user), null);
  assertThrows(() => userOfTasks({ uid: 0, gid: 0 }, sudo), AdapterError);
  assertThrows(() => userOfTasks({ uid: 0, gid: 0 }, user), AdapterError);
  assert(callerOf(sudo) !== null);
});
