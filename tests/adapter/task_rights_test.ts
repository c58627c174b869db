/** A root adapter whose worker is an ordinary user. */

import { join } from "@std/path";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { readProcessStat } from "../../trace/linux/processes.ts";
import { startAdapter, type TestAdapter } from "../support/adapter_process.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";
import { has } from "../support/left_out.ts";

/** nobody and nogroup, which every Debian has. */
const USER = { uid: 65534, gid: 65534 };
const IS_ROOT = has({ "root": Deno.uid() === 0 });

interface UserAdapter extends AsyncDisposable {
  readonly adapter: TestAdapter;
  readonly root: string;
}

/** An adapter that serves {@linkcode USER}, in a folder of that user. */
async function startForUser(): Promise<UserAdapter> {
  const folder = await tempFolder();
  const root = await Deno.realPath(folder.path);
  await Deno.mkdir(join(root, "outputs"));
  for (const path of [root, join(root, "outputs")]) await Deno.chown(path, USER.uid, USER.gid);
  const adapter = await startAdapter({ root, ...USER, allowed_commands: ["sh", "id"] });
  return {
    adapter,
    root,
    async [Symbol.asyncDispose](): Promise<void> {
      await adapter[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Every file and folder below `path`. */
async function* below(path: string): AsyncGenerator<string> {
  for await (const entry of Deno.readDir(path)) {
    yield join(path, entry.name);
    if (entry.isDirectory) yield* below(join(path, entry.name));
  }
}

Deno.test({
  name: "a root adapter runs tasks as the worker's user, with no right of its own",
  ignore: !IS_ROOT,
  fn: async () => {
    await using user = await startForUser();
    const script =
      "echo $USER $HOME >o; id -u >>o; id -g >>o; id -G >>o; grep -E 'CapEff|CapPrm|Uid' /proc/self/status >>o";
    const outcome = await user.adapter.run({ argv: ["sh", "-c", script], outputs: ["o"] });
    assert(outcome.kind === "exited" && outcome.isDone, Deno.inspect(outcome));
    const text = await Deno.readTextFile(join(user.root, "outputs/o"));
    assertEquals(
      text,
      [
        "nobody /nonexistent",
        "65534\n65534\n65534",
        "Uid:\t65534\t65534\t65534\t65534",
        "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\n",
      ].join("\n"),
    );
  },
});

Deno.test({
  name: "a root adapter leaves no file that is not the worker's user's",
  ignore: !IS_ROOT,
  fn: async () => {
    await using user = await startForUser();
    const argv = ["sh", "-c", "mkdir sub; echo 1 >sub/o"];
    await user.adapter.run({ argv, outputs: ["sub/o"] });
    await user.adapter.run({ argv: ["nope"] });
    for await (const path of below(user.root)) {
      const { uid, gid } = await Deno.lstat(path);
      assertEquals([uid, gid], [USER.uid, USER.gid], path);
    }
  },
});

Deno.test({
  name: "a root adapter makes no folder where the worker's user may not",
  ignore: !IS_ROOT,
  fn: async () => {
    await using user = await startForUser();
    const closed = join(user.root, "outputs/closed");
    await Deno.mkdir(closed, { mode: 0o755 });
    const outcome = await user.adapter.run({ argv: ["id"], outputs: ["closed/sub/o"] });
    assert(outcome.kind === "exited" && !outcome.isDone);
    assertMatch(outcome.event.reason ?? "", /Permission denied/);
    assertEquals([...Deno.readDirSync(closed)], []);
  },
});

Deno.test({
  name: "a killed root adapter takes the user's tasks along",
  ignore: !IS_ROOT,
  fn: async () => {
    await using user = await startForUser();
    const { adapter } = user;
    const launch = adapter.client.launch(adapter.task({ argv: ["sh", "-c", "sleep 300"] }));
    const started = await launch.started;
    assert(started !== null);
    adapter.kill("SIGKILL");
    assertEquals((await launch.outcome).kind, "crashed");
    await waitFor({
      what: "the end of the task",
      read: () => readProcessStat(started.pid),
      until: (stat) => stat === null || stat.state === "Z",
    });
  },
});
