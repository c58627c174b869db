/**
 * The portable form of an executable: a POSIX shell stub, the Deno binary and the bundles of its
 * commands in one file. It unpacks itself once into a cache of the user, and then starts as fast as
 * Deno does. The same input gives the same file, byte for byte.
 */

import type { Processor } from "./deno_binary.ts";
import type { Executable } from "./contents.ts";
import { PASSWORD_ADVICE } from "../command/secrets.ts";

/** What goes into a portable executable. */
export interface PortableParts {
  /** The executable. */
  readonly executable: Executable;
  /** Version of Tracekit. */
  readonly version: string;
  /** Commit and form: what `--version` says of the build. */
  readonly build: string;
  /** SHA-256 of the two archives together, hex: the name of the folder in the cache. */
  readonly hash: string;
  /** Processor that the binary is for. */
  readonly processor: Processor;
  /** The Deno binary, gzip. */
  readonly deno: Uint8Array;
  /** The bundles, tar and gzip. */
  readonly bundles: Uint8Array;
}

/** Digits of an offset in the stub: the stub's length must not depend on the numbers in it. */
const OFFSET_DIGITS = 10;

/** The whole file. */
export function portableFile(parts: PortableParts): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const { length } = encoder.encode(stubOf(parts, 0));
  const stub = encoder.encode(stubOf(parts, length));
  const file = new Uint8Array(length + parts.deno.length + parts.bundles.length);
  file.set(stub);
  file.set(parts.deno, length);
  file.set(parts.bundles, length + parts.deno.length);
  return file;
}

/** tail(1) counts bytes from 1. */
function offset(bytes: number): string {
  return `+${String(bytes + 1).padStart(OFFSET_DIGITS, "0")}`;
}

/** `text` as one word of a shell. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/**
 * The URL of Redis goes to the environment: it may hold a password, and every user of a machine can read
 * the arguments of the process that this one becomes. A flag goes before a variable, as everywhere.
 */
const MOVE_URL = `
flag= variable= count=$#
while [ "$count" -gt 0 ]; do
  word=$1
  shift
  count=$((count - 1))
  case $word in
  --redis=?*) flag=\${word#--redis=} ;;
  --redis)
    if [ "$count" -gt 0 ]; then flag=$1 && shift && count=$((count - 1)); else set -- "$@" "$word"; fi ;;
  REDIS_URL=?*) variable=\${word#REDIS_URL=} ;;
  *) set -- "$@" "$word" ;;
  esac
done
url=\${flag:-$variable}
case $url in *://*:*@* | *password=*) echo "${PASSWORD_ADVICE}" >&2 ;; esac
[ -z "$url" ] || export REDIS_URL="$url"
`;

function stubOf(parts: PortableParts, stubBytes: number): string {
  const { build, deno, executable, hash, processor, version } = parts;
  const { role, commands } = executable;
  const [first] = commands;
  const flags = ["-q", "-A", "--no-config", "--no-lock", "--no-remote", "--no-npm"];
  if (executable.v8Flags !== undefined) flags.push(executable.v8Flags);
  const cases = commands.map(({ name, entry, program, isPrivileged }) =>
    `  ${name}) ${isPrivileged ? `set -- ${program}.js` : `set -- run.js ${entry.name}`} "$@" ;;`
  );
  return `#!/bin/sh
# tracekit-${role} ${version} (${build}): a self-extracting executable.
# It unpacks Deno and its programs once, into the first of these folders where programs may be run:
# TRACEKIT_CACHE_DIR, XDG_CACHE_HOME, ~/.cache, /var/tmp, /tmp, XDG_RUNTIME_DIR, /dev/shm.
set -u
self=$(command -v -- "$0") || self=$0
case $self in /*) ;; *) self=$PWD/$self ;; esac
user=$(id -u)
mask=$(umask)
umask 077

usable() {
  [ -n "$1" ] && mkdir -p -- "$1" 2>/dev/null && [ -O "$1" ] && [ -w "$1" ]
}

# Where SIGPIPE is ignored, as in systemd's units, tail would say that head has closed the pipe.
# Unpack beside and rename: a folder under its final name is complete, also when two start at once.
unpack() {
  folder=$1/${hash}
  [ -x "$folder/deno" ] && return 0
  beside=$folder.tmp-$$
  mkdir -- "$beside" 2>/dev/null &&
    tail -c ${offset(stubBytes)} -- "$self" 2>/dev/null | head -c ${deno.length} |
      gzip -dc >"$beside/deno" 2>/dev/null &&
    tail -c ${offset(stubBytes + deno.length)} -- "$self" | gzip -dc 2>/dev/null |
      tar -xf - -C "$beside" 2>/dev/null &&
    chmod 700 "$beside/deno" && "$beside/deno" --version >/dev/null 2>&1 &&
    { mv -T -- "$beside" "$folder" 2>/dev/null || [ -x "$folder/deno" ]; }
  unpacked=$?
  rm -rf -- "$beside"
  return $unpacked
}

folder=
for base in "\${TRACEKIT_CACHE_DIR:-}" "\${XDG_CACHE_HOME:+$XDG_CACHE_HOME/tracekit}" \\
  "\${HOME:+$HOME/.cache/tracekit}" "/var/tmp/tracekit-$user" "/tmp/tracekit-$user" \\
  "\${XDG_RUNTIME_DIR:+$XDG_RUNTIME_DIR/tracekit}" "/dev/shm/tracekit-$user"; do
  usable "$base" && unpack "$base" && break
  folder=
done
if [ -z "$folder" ]; then
  case $(uname -m) in
  ${processor}) ;;
  *)
    echo "tracekit-${role}: this executable is for ${processor}, this machine is $(uname -m)" >&2
    exit 1
    ;;
  esac
  echo "tracekit-${role}: no folder to unpack 150 MB into where programs may be run;" \\
    "set TRACEKIT_CACHE_DIR to one" >&2
  exit 1
fi

umask "$mask"
${executable.isOfQueue ? MOVE_URL : ""}
command=\${1:-}
case $command in
${commands.map(({ name }) => name).join("|")}) shift ;;
*) command=${first.name} ;;
esac
case $command in
${cases.join("\n")}
esac
program=$1
shift
export TRACEKIT_EXECUTABLE="$self" TRACEKIT_BUILD=${quoted(build)}
export DENO_DIR="$folder/cache" DENO_NO_UPDATE_CHECK=1
exec "$folder/deno" run ${flags.join(" ")} "$folder/$program" "$@"
`;
}
