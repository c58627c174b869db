import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
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
const SETUP_FILE = fromFileUrl(new URL("../../tasks/setup.ts", import.meta.url));
const CAN_BE_NOBODY = has({
  "a user namespace of its own":
    new Deno.Command(UNSHARE, { args: [...NOBODY, "true"], stderr: "null" }).outputSync().success,
});

Deno.test("setup unpacks packages for a user who may not install, and finds their programs there", {
  ignore: !CAN_BE_NOBODY,
}, async () => {
  await using folder = await tempFolder();
  // A package with a program and a library, as dpkg-deb makes it.
  const tree = join(folder.path, "tree");
  await Deno.mkdir(join(tree, "DEBIAN"), { recursive: true });
  await Deno.mkdir(join(tree, "usr/bin"), { recursive: true });
  await Deno.mkdir(join(tree, "usr/lib/some"), { recursive: true });
  const control =
    "Package: one\nVersion: 1\nArchitecture: all\nMaintainer: a <a@b>\nDescription: a\n";
  await Deno.writeTextFile(join(tree, "DEBIAN/control"), control);
  await addProgram(join(tree, "usr/bin"), "redis-server", 'echo "$LD_LIBRARY_PATH $*"');
  await Deno.writeTextFile(join(tree, "usr/lib/some/libone.so.1"), "");
  const deb = join(folder.path, "one.deb");
  const built = await new Deno.Command("dpkg-deb", {
    args: ["--root-owner-group", "-b", tree, deb],
    stdout: "null",
  }).output();
  assertEquals(built.success, true);
  const apt = `for one in "$@"; do case $one in Dir::Cache::archives=*) to=\${one#*=};; esac; done
case "$*" in *--download-only*) exec /bin/cp '${deb}' "$to";; esac`;
  const dpkg = 'PATH=/usr/bin:/bin exec /usr/bin/dpkg-deb "$@"';
  const programs = { "ffmpeg": "", "ffprobe": "", "apt-get": apt, "dpkg-deb": dpkg };
  await withMachine(programs, async (_setup, bin) => {
    const cache = join(folder.path, "cache");
    const { code, stderr } = await new Deno.Command(UNSHARE, {
      args: [...NOBODY, Deno.execPath(), "run", "-A", "-q", SETUP_FILE],
      env: { PATH: bin, XDG_CACHE_HOME: cache },
    }).output();
    const said = new TextDecoder().decode(stderr);
    assertEquals(code, 0, said);
    assertMatch(
      said,
      /^Fetching redis-server of this distribution into .*this user may not install\n/,
    );
    const starter = join(cache, "tracekit/packages/bin/redis-server");
    assertStringIncludes(said, `redis-server: ${starter}\n`);
    const { stdout } = await new Deno.Command(starter, {
      args: ["--port", "1"],
      env: { LD_LIBRARY_PATH: "/other" },
    }).output();
    const libraries = join(cache, "tracekit/packages/root", "usr/lib/some");
    assertEquals(new TextDecoder().decode(stdout), `${libraries}:/other --port 1\n`);
  });
});

Deno.test("setup prints the one command to run for whoever may not install", {
  ignore: !CAN_BE_NOBODY,
}, async () => {
  const others = { "apt-get": "echo E: offline >&2; exit 1", "ffmpeg": "", "ffprobe": "" };
  const refused = async (scripts: Readonly<Record<string, string>>): Promise<string> => {
    let said = "";
    await withMachine({ ...others, ...scripts }, async (_setup, bin) => {
      const { code, stderr } = await new Deno.Command(UNSHARE, {
        args: [...NOBODY, Deno.execPath(), "run", "-A", "-q", SETUP_FILE],
        env: { PATH: bin, XDG_CACHE_HOME: join(bin, "cache") },
      }).output();
      assertEquals(code, 1);
      said = new TextDecoder().decode(stderr);
    });
    return said;
  };
  const command = "'apt-get update && apt-get install -y redis-server'\n";
  const why = "missing: redis-server; cannot fetch packages for this user: E: offline";
  assertStringIncludes(await refused({}), `setup: ${why}; run: su -c ${command}`);
  assertStringIncludes(
    await refused({ "sudo": "exit 1" }),
    `setup: ${why}; run: sudo sh -c ${command}`,
  );
});
