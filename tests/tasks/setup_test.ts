import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import { type Ended, runCommand } from "../support/command_process.ts";
import { tempFolder } from "../support/temp_folder.ts";
import { has } from "../support/left_out.ts";

/** A machine of its own: a PATH of scripts that stand for its programs. */
async function withMachine(
  scripts: Readonly<Record<string, string>>,
  work: (setup: () => Promise<Ended>, bin: string) => Promise<void>,
): Promise<void> {
  await using folder = await tempFolder();
  const bin = folder.path;
  for (const [name, body] of Object.entries(scripts)) await addProgram(bin, name, body);
  await work(() => runCommand(["setup"], { env: { PATH: bin } }), bin);
}

async function addProgram(bin: string, name: string, body: string): Promise<void> {
  await Deno.writeTextFile(join(bin, name), `#!/bin/sh\n${body}\n`, { mode: 0o755 });
}

/** `env A=b … program args` in a PATH that has nothing else. */
const ENV = `while :; do case "$1" in *=*) shift;; *) break;; esac; done; exec "\${0%/*}/$@"`;

const PROGRAMS = { "redis-server": "", "ffmpeg": "", "ffprobe": "" };

/** Notes how it was called; installs by copying itself to the programs of the packages. */
const APT = `bin=\${0%/*}; echo "$*" >>"$bin/calls"
[ -e "$bin/lists" ] || { case "$*" in *install*) echo "E: Unable to locate package" >&2; exit 100;; esac; }
case "$*" in
  *update*) echo "dlstatus:1:50.0:Retrieving"; : >"$bin/lists";;
  *install*) echo "pmstatus:ffmpeg:40.0:Installing ffmpeg"
    for one in redis-server ffmpeg ffprobe; do printf '#!/bin/sh\\n' >"$bin/$one"; /bin/chmod +x "$bin/$one"; done;;
esac`;

async function calls(bin: string): Promise<string[]> {
  const text = await Deno.readTextFile(join(bin, "calls"));
  return text.trimEnd().split("\n").map((line) => line.replace(/^.*Status-Fd=1 /, ""));
}

Deno.test("setup does nothing where everything is there", async () => {
  await withMachine({ ...PROGRAMS, "apt-get": "exit 1" }, async (setup, bin) => {
    const { code, stderr } = await setup();
    assertEquals(code, 0, stderr);
    assertEquals(stderr.split("\n")[0], `redis-server: ${bin}/redis-server`);
  });
});

Deno.test("setup fetches package lists when the first try fails, and installs", async () => {
  await withMachine(
    { "apt-get": APT, "env": ENV },
    async (setup, bin) => {
      const { code, stderr } = await setup();
      assertEquals(code, 0, stderr);
      assertMatch(stderr, /^Installing redis-server, ffmpeg with apt-get\n/);
      const install = "install -y --no-install-recommends redis-server ffmpeg";
      assertEquals(await calls(bin), [install, "update", install]);
      assertEquals((await setup()).code, 0);
      assertEquals((await calls(bin)).length, 3);
    },
  );
});

Deno.test("setup tells apt-get's last lines when it fails", async () => {
  const apt = `echo "E: You are offline" >&2; exit 100`;
  await withMachine({ "apt-get": apt, "env": ENV }, async (setup) => {
    const { code, stderr } = await setup();
    assertEquals(code, 1);
    const last = stderr.trimEnd().split("\n").at(-1) ?? "";
    assertMatch(
      last,
      /^setup: apt-get failed: E: You are offline \(to try by hand: apt-get update/,
    );
  });
});

Deno.test("setup says what to install where there is no apt-get", async () => {
  await withMachine({ "ffmpeg": "", "ffprobe": "" }, async (setup) => {
    const { code, stderr } = await setup();
    assertEquals(code, 1);
    assertMatch(
      stderr,
      /^setup: missing: redis-server; there is no apt-get here, install redis-server/,
    );
  });
});

/** A user namespace without a map: this process is nobody there, and reads what it could read before. */
const NOBODY = ["--user"];
const UNSHARE = "/usr/bin/unshare";
const CAN_BE_NOBODY = has({
  "a user namespace of its own":
    new Deno.Command(UNSHARE, { args: [...NOBODY, "true"], stderr: "null" }).outputSync().success,
});

Deno.test("setup prints the one command to run for whoever may not install", {
  ignore: !CAN_BE_NOBODY,
}, async () => {
  const setup = fromFileUrl(new URL("../../tasks/setup.ts", import.meta.url));
  const others = { "apt-get": "exit 1", "ffmpeg": "", "ffprobe": "" };
  const refused = async (scripts: Readonly<Record<string, string>>): Promise<string> => {
    let said = "";
    await withMachine({ ...others, ...scripts }, async (_setup, bin) => {
      const { code, stderr } = await new Deno.Command(UNSHARE, {
        args: [...NOBODY, Deno.execPath(), "run", "-A", "-q", setup],
        env: { PATH: bin },
      }).output();
      assertEquals(code, 1);
      said = new TextDecoder().decode(stderr);
    });
    return said;
  };
  const command = "'apt-get update && apt-get install -y redis-server'\n";
  assertEquals(await refused({}), `setup: missing: redis-server; run: su -c ${command}`);
  assertEquals(
    await refused({ "sudo": "exit 1" }),
    `setup: missing: redis-server; run: sudo sh -c ${command}`,
  );
});
