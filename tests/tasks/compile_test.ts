/** The executables, where they are needed: on machines that have nothing. */

import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { EXECUTABLES } from "../../tasks/build/contents.ts";
import { writeSmallDeno } from "../support/small_deno.ts";
import { makeBareRoot, runInBareRoot } from "../support/bare_root.ts";
import { runCommand } from "../support/command_process.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { CAN_MOUNT } from "../support/tiny_filesystem.ts";
import { writeTwoNodeRun } from "../support/cts_run.ts";

async function compile(out: string, ...args: readonly string[]): Promise<void> {
  const { code, stderr } = await runCommand([
    "compile",
    "--form=portable",
    `--out=${out}`,
    ...args,
  ]);
  assertEquals(code, 0, stderr);
}

Deno.test("compile makes the same files from the same commit", async () => {
  await using folder = await tempFolder();
  const deno = join(folder.path, "deno");
  await writeSmallDeno(deno);
  const sums: string[] = [];
  for (const name of ["one", "two"]) {
    await compile(join(folder.path, name), "exporter", `--deno=${deno}`);
    sums.push(await Deno.readTextFile(join(folder.path, name, "SHA256SUMS")));
  }
  assertMatch(sums[0] ?? "", /^[0-9a-f]{64} {2}tracekit-exporter\n$/);
  assertEquals(sums[0], sums[1]);
});

Deno.test("compile refuses a role that it does not know", async () => {
  const { code, stderr } = await runCommand(["compile", "nobody"]);
  assertEquals(code, 2);
  assertStringIncludes(stderr, 'unknown role "nobody", known are controller, dispatcher');
});

Deno.test("executables run where there is nothing else", { ignore: !CAN_MOUNT }, async (t) => {
  await using folder = await tempFolder();
  const root = join(folder.path, "root");
  await makeBareRoot(root);
  await compile(join(root, "opt"));
  const expected = EXECUTABLES.map(({ role }) => `tracekit-${role}`);
  await t.step("nothing of this project is named in them but by its own name", async () => {
    const bundle = await runInBareRoot(root, {
      command: "TRACEKIT_CACHE_DIR=/var/tmp/x /opt/tracekit-worker --version >/dev/null;" +
        " cat() { while IFS= read -r line; do printf '%s\\n' \"$line\"; done; };" +
        " for f in /var/tmp/x/*/worker.js; do cat <$f; done",
    });
    assert(bundle.stdout.length > 1_000_000);
    for (const place of [Deno.cwd(), Deno.env.get("HOME") ?? "/root", "registry."]) {
      assert(!bundle.stdout.includes(`${place}/`), place);
    }
  });
  for (const name of expected) {
    await t.step(`${name} says its version, commit and form`, async () => {
      const result = await runInBareRoot(root, { command: `/opt/${name} --version` });
      assertEquals(result.stderr, "");
      assertMatch(
        result.stdout,
        /^tracekit \d+\.\d+\.\d+ \(deno [\d.]+, commit [0-9a-f]{12}( with changes)?, portable\)\n$/,
      );
    });
  }
  await t.step("each command of each has its help", async () => {
    for (const { role, commands } of EXECUTABLES) {
      for (const { name } of commands) {
        const command = `/opt/tracekit-${role} ${name} --help`;
        const { code, stdout, stderr } = await runInBareRoot(root, { command });
        assertEquals({ code, stderr }, { code: 0, stderr: "" }, command);
        assertMatch(stdout, /^Usage: /m);
      }
    }
  });
  await t.step("the exporter exports and verifies a run", async () => {
    await writeTwoNodeRun(join(root, "run"));
    const { code, stderr, stdout } = await runInBareRoot(root, {
      command: "cd /var/tmp && /opt/tracekit-exporter export-opendc --input /run --output out &&" +
        " /opt/tracekit-exporter verify-opendc --input out --cts /run",
    });
    assertEquals(code, 0, stdout + stderr);
    assertMatch(stdout, /^PASS$/m);
  });
  await t.step("a wrong flag is a usage error there too", async () => {
    const result = await runInBareRoot(root, { command: "/opt/tracekit-worker --bogus" });
    assertEquals(result.code, 2);
    assertStringIncludes(result.stderr, "unknown flag --bogus");
  });
  await t.step("a read-only root with a tmpfs for /tmp will do", async () => {
    const result = await runInBareRoot(root, {
      mounts: 'mount --bind "$root" "$root"; mount -o remount,bind,ro "$root";' +
        ' mount -t tmpfs tmpfs "$root/tmp"',
      command: "/opt/tracekit-adapter --version",
    });
    assertMatch(result.stdout, /portable/, result.stderr);
  });
  await t.step("a folder where programs may not run is skipped", async () => {
    const result = await runInBareRoot(root, {
      mounts: 'mount --bind "$root" "$root"; mount -o remount,bind,ro "$root";' +
        ' mount -t tmpfs -o noexec tmpfs "$root/tmp"; mount -t tmpfs tmpfs "$root/dev/shm"',
      command: "/opt/tracekit-adapter --version && echo /tmp/tracekit-0/* /dev/shm/tracekit-0/*",
    });
    assertMatch(
      result.stdout,
      /portable\)\n\/tmp\/tracekit-0\/\* \/dev\/shm\/tracekit-0\/[0-9a-f]+\n$/,
    );
  });
  await t.step("nowhere to unpack is one clear error", async () => {
    const result = await runInBareRoot(root, {
      mounts: 'mount --bind "$root" "$root"; mount -o remount,bind,ro "$root"',
      command: "/opt/tracekit-adapter --version",
    });
    assertEquals({ code: result.code, stdout: result.stdout }, { code: 1, stdout: "" });
    assertMatch(
      result.stderr,
      /^tracekit-adapter: no folder to unpack 150 MB into .*set TRACEKIT_CACHE_DIR to one\n$/,
    );
  });
});
