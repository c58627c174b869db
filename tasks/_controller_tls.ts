/** An authority of one's own and the server's certificate, made by openssl. */

import { join } from "@std/path";
import { besideName, isThere, removeIfThere } from "../trace/atomic_file.ts";
import { CommandError } from "./_main.ts";

/** Files of a server's certificate. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
}

/** Days that certificates hold: longer than any series of experiments. */
const VALID_DAYS = "3650";

/**
 * The certificates in `dir`: an authority (made once, so that its certificate need not be copied
 * again), and a server's for `addresses` and this host's name, made anew each time.
 */
export async function makeCertificates(
  dir: string,
  addresses: readonly string[],
): Promise<TlsFiles> {
  const files = {
    ca: join(dir, "ca.crt"),
    cert: join(dir, "server.crt"),
    key: join(dir, "server.key"),
  };
  const caKey = join(dir, "ca.key");
  if (!await isThere(caKey)) {
    const subject = "/CN=Tracekit controller authority";
    await make(files.ca, ["req", "-x509", ...newKey(caKey), "-days", VALID_DAYS, "-subj", subject]);
  }
  const names = [
    ...addresses.filter((one) => !["0.0.0.0", "*", "::"].includes(one)).map((one) => `IP:${one}`),
    "IP:127.0.0.1",
    "DNS:localhost",
    `DNS:${Deno.hostname()}`,
  ];
  await make(files.cert, [
    ...["req", "-x509", "-CA", files.ca, "-CAkey", caKey],
    ...newKey(files.key),
    ...["-days", VALID_DAYS, "-subj", "/CN=Tracekit controller"],
    ...["-addext", `subjectAltName=${[...new Set(names)].join(",")}`],
    ...["-addext", "basicConstraints=critical,CA:FALSE"],
  ]);
  return files;
}

function newKey(path: string): string[] {
  return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", path];
}

/** Have openssl write `path`, beside and renamed; keys are readable by the owner alone. */
async function make(path: string, args: readonly string[]): Promise<void> {
  const beside = besideName(path);
  let result: Deno.CommandOutput;
  try {
    result = await new Deno.Command("sh", {
      args: ["-c", 'umask 077; exec openssl "$@"', "openssl", ...args, "-out", beside],
      stdin: "null",
    }).output();
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new CommandError("sh is missing", { cause: error });
  }
  if (result.success) return await Deno.rename(beside, path);
  await removeIfThere(beside);
  const reason = new TextDecoder().decode(result.stderr).trim().split("\n").at(-1);
  throw new CommandError(`openssl could not make ${path}: ${reason}`);
}
