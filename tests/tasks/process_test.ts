import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { CommandError } from "../../tasks/command/main.ts";
import { bootId, isAlive, processIdentity, registerRole } from "../../tasks/command/process.ts";
import { RunDir } from "../../trace/run_dir.ts";
import { writeJsonAtomic } from "../../trace/atomic_file.ts";
import type { RoleIdentity } from "../../trace/records.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { waitFor } from "../support/wait_for.ts";
import { boundCommand } from "../support/bound_command.ts";

/** Identity of `pid`, as a role would have written it down. */
function identityOf(pid: number): RoleIdentity {
  const found = processIdentity(pid);
  assert(found !== null);
  return {
    role: "worker",
    run_id: "r",
    node_id: "n",
    pid,
    start_ticks: found.startTicks,
    boot_id: bootId(),
    ts_start: 0,
  };
}

Deno.test("processIdentity() reads past a name with blanks and parentheses", async () => {
  await using folder = await tempFolder();
  const program = join(folder.path, "a) R 1 (b");
  await Deno.copyFile("/bin/sleep", program);
  await using child = boundCommand(program, { args: ["60"] }).spawn();
  const { state } = await waitFor({
    what: "the child to sleep",
    read: () => processIdentity(child.pid) ?? { startTicks: 0, state: "none" },
    until: (one) => one.state === "S",
  });
  assertEquals(state, "S");
  assert(isAlive(identityOf(child.pid)));
  child.kill("SIGKILL");
});

Deno.test("isAlive() knows a process by its start time and boot, not by its pid", () => {
  const self = identityOf(Deno.pid);
  assert(isAlive(self));
  assert(!isAlive({ ...self, start_ticks: self.start_ticks - 1 }));
  assert(!isAlive({ ...self, boot_id: "another boot" }));
  // pid 0 is never a process of user space.
  assert(!isAlive({ ...self, pid: 0 }));
});

Deno.test("isAlive() takes a zombie for dead", async () => {
  // A shell that was replaced by sleep never reaps its child; before that it may.
  await using parent = boundCommand("sh", {
    args: ["-c", "sleep 60 & echo $!; exec sleep 60"],
    stdout: "piped",
  }).spawn();
  const reader = parent.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const pid = Number((await reader.read()).value);
  await waitFor({
    what: "the shell to be replaced",
    read: () => Deno.readTextFile(`/proc/${parent.pid}/comm`),
    until: (comm) => comm === "sleep\n",
  });
  Deno.kill(pid, "SIGKILL");
  await waitFor({
    what: "a zombie",
    read: () => processIdentity(pid)?.state,
    until: (state) => state === "Z",
  });
  assert(!isAlive(identityOf(pid)));
  parent.kill("SIGKILL");
  await reader.cancel();
});

Deno.test("registerRole() refuses while another process is that role, and not once it has ended", async () => {
  await using folder = await tempFolder();
  const place = { runDir: RunDir.at(folder.path), runId: "r", nodeId: "n" };
  await using other = boundCommand("sleep", { args: ["60"] }).spawn();
  await writeJsonAtomic(place.runDir.role("worker"), identityOf(other.pid));
  await assertRejects(
    () => registerRole(place, "worker"),
    CommandError,
    `worker of run r runs already with pid ${other.pid}`,
  );
  other.kill("SIGKILL");
  await other.status;
  assertEquals(await registerRole(place, "worker"), place.runDir.role("worker"));
});
