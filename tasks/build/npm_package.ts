/**
 * The npm package: every command as a bundle, and one program, `tracekit`, that starts them with the
 * Deno that npm installs beside it.
 */

import { join } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { type CommandEntry, COMMANDS, programOf } from "../commands.ts";
import { PINNED_DENO_VERSION } from "../command/main.ts";
import { PROGRAM_ARGUMENTS_OF_BUNDLES } from "../command/own_program.ts";
import { gzip, tar } from "./archive.ts";
import { bundleEach, bundleText, projectFolder } from "./bundle.ts";
import { launcherEntry } from "./entries.ts";

/** What goes into the package. */
export interface NpmPackageParts {
  /** Commit and form: what `--version` says of the build. */
  readonly build: string;
  /** An empty folder to work in. */
  readonly folder: string;
}

/** Commands of the package: all but those that work on a checkout. */
const PACKAGED: readonly CommandEntry[] = COMMANDS.filter(
  ({ isForCheckout = false }: CommandEntry) => !isForCheckout,
);

/** Files of the checkout that are copied. */
const COPIED = ["README.md", "CHANGELOG.md", "LICENSE"];

/** npm's packages of the Deno binary, one of which is installed. */
const DENO_PACKAGES = ["@deno/linux-x64-glibc", "@deno/linux-arm64-glibc"];

/** The file that `npm pack` would make. */
export async function npmPackage(parts: NpmPackageParts): Promise<Uint8Array> {
  await writePackage(parts);
  const archive = await tar(parts.folder, { names: ["package"], mode: "a+rX,u+w,go-w" });
  return await gzip(archive);
}

/** Write the content of the package into `package/` in the working folder. */
export async function writePackage({ build, folder }: NpmPackageParts): Promise<void> {
  const root = join(folder, "package");
  for (const name of ["bin", "lib"]) await Deno.mkdir(join(root, name), { recursive: true });
  await bundleEach(PACKAGED.map(programOf), join(root, "lib"));
  await bundleText(launcherEntry(PACKAGED), join(root, "lib/run.js"));
  await Deno.writeTextFile(join(root, "package.json"), `${JSON.stringify(manifest(), null, 2)}\n`);
  await Deno.writeTextFile(join(root, "bin/tracekit"), program(build), { mode: 0o755 });
  for (const name of COPIED) await Deno.copyFile(join(projectFolder(), name), join(root, name));
}

function manifest(): unknown {
  return {
    name: config.name,
    version: config.version,
    description: "Records what cloud applications do, task by task, for datacenter simulators",
    license: config.license,
    os: ["linux"],
    bin: { tracekit: "bin/tracekit" },
    files: ["bin", "lib", ...COPIED],
    dependencies: { deno: PINNED_DENO_VERSION },
  };
}

/** The program: it starts a privileged command at once, and any other by the launcher. */
function program(build: string): string {
  const direct = PACKAGED.filter(({ privilege }) => privilege === "all");
  const names = direct.filter((entry) => entry.name === programOf(entry)).map(({ name }) => name);
  const renamed = direct.filter((entry) => entry.name !== programOf(entry));
  const [x64, arm64] = DENO_PACKAGES;
  return `#!/bin/sh
# tracekit ${config.version} (${build})
set -u

# npm links this file into the bin folder of its prefix.
home=\${0%/*}/../lib/node_modules/${config.name}
if [ ! -f "$home/lib/run.js" ]; then
  self=$(readlink -f -- "$0")
  home=\${self%/bin/*}
fi

# Deno is in the package's own node_modules, or where npm put it once for several.
for deno in "\${TRACEKIT_DENO:-}" \\
  "$home/node_modules/${x64}/deno" "$home/../../${x64}/deno" \\
  "$home/node_modules/${arm64}/deno" "$home/../../${arm64}/deno"; do
  [ -x "$deno" ] && break
done
[ -x "$deno" ] || deno=$(command -v deno)
if [ ! -x "$deno" ]; then
  echo "tracekit: Deno ${PINNED_DENO_VERSION} is required: npm install deno@${PINNED_DENO_VERSION}," \\
    "or name its file in TRACEKIT_DENO" >&2
  exit 1
fi

program=run
case \${1:-} in
${names.join(" | ")}) program=$1 && shift ;;
${renamed.map((entry) => `${entry.name}) program=${programOf(entry)} && shift ;;`).join("\n")}
esac
export TRACEKIT_BUILD='${build}' DENO_NO_UPDATE_CHECK=1
exec "$deno" ${PROGRAM_ARGUMENTS_OF_BUNDLES.join(" ")} -A "$home/lib/$program.js" "$@"
`;
}
