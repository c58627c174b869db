/** An authority of one's own and the server's certificate, made by openssl. */

import { join } from "@std/path";
import { isThere, writeFileAtomic } from "../../trace/atomic_file.ts";
import { CommandError } from "../command/main.ts";

/** Files of a server's certificate. */
export interface TlsFiles {
  readonly cert: string;
  readonly key: string;
  readonly ca: string;
  /** True when the authority had expired: roles trust the earlier one, and need the new certificate. */
  readonly isAuthorityRenewed: boolean;
}

const DAY_MS = 86_400_000;

/** How long certificates hold: longer than any series of experiments. */
const VALID_MS = 3650 * DAY_MS;

/**
 * How long before it is made a certificate begins to hold: a worker whose clock is behind by more than
 * this takes it for one of the future and never connects. Nobody is harmed by more; a day is what a
 * clock in the wrong time zone is off at most.
 */
const EARLIER_MS = DAY_MS;

/** What `openssl ca` needs to know; it alone, in OpenSSL before 3.4, takes the time of the beginning. */
const AUTHORITY = `[ca]
default_ca = tracekit
[tracekit]
database = index
new_certs_dir = .
rand_serial = yes
unique_subject = no
default_md = sha256
policy = names
[names]
commonName = supplied
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = `;

/**
 * The certificates in `dir`: an authority (made once, so that its certificate need not be copied
 * again, and again when it has expired), and a server's for `addresses` and this host's name, made again
 * each time.
 *
 * @throws {CommandError} when openssl cannot make them.
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
  const work = await Deno.makeTempDir({ dir, prefix: "certificates-" });
  try {
    await Deno.writeTextFile(join(work, "ca.cnf"), AUTHORITY + subjectNames(addresses).join(","));
    await Deno.writeTextFile(join(work, "index"), "");
    const isFirst = !await isThere(caKey);
    const isAuthorityRenewed = !isFirst && await hasExpired(files.ca);
    if (isFirst || isAuthorityRenewed) {
      await request(work, "Tracekit controller authority");
      await sign(work, ["-selfsign", "-keyfile", "request.key", "-extensions", "authority"]);
      await place(work, { key: caKey, cert: files.ca });
    }
    await request(work, "Tracekit controller");
    await sign(work, ["-cert", files.ca, "-keyfile", caKey, "-extensions", "server"]);
    await place(work, files);
    return { ...files, isAuthorityRenewed };
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** What the server may be called. */
function subjectNames(addresses: readonly string[]): string[] {
  const own = addresses.filter((one) => !["0.0.0.0", "*", "::"].includes(one));
  const names = [...own, "127.0.0.1", "localhost", Deno.hostname()];
  return [...new Set(names)].map((one) => `${/^[\d.]+$|:/.test(one) ? "IP" : "DNS"}:${one}`);
}

async function hasExpired(certificate: string): Promise<boolean> {
  const args = ["x509", "-noout", "-checkend", "0", "-in", certificate];
  return !(await openssl(args, { cwd: "." })).success;
}

/** A new key and a request for a certificate, `request.key` and `request.csr`. */
async function request(work: string, name: string): Promise<void> {
  await make(work, [
    ...["req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
    ...["-keyout", "request.key", "-subj", `/CN=${name}`, "-out", "request.csr"],
  ]);
}

/** The certificate that was asked for, `request.crt`. */
async function sign(work: string, by: readonly string[]): Promise<void> {
  const now = Date.now();
  await make(work, [
    ...["ca", "-batch", "-notext", "-config", "ca.cnf", ...by],
    ...["-startdate", asn1Time(now - EARLIER_MS), "-enddate", asn1Time(now + VALID_MS)],
    ...["-in", "request.csr", "-out", "request.crt"],
  ]);
}

/** An epoch time, ms, as openssl takes it: YYYYMMDDHHMMSSZ. */
function asn1Time(epochMs: number): string {
  return `${new Date(epochMs).toISOString().replace(/\D/g, "").slice(0, 14)}Z`;
}

/** Move the key and the certificate to their places, where only the owner reads them. */
async function place(work: string, { key, cert }: { key: string; cert: string }): Promise<void> {
  for (const [from, to] of [["request.key", key], ["request.crt", cert]] as const) {
    await writeFileAtomic(to, await Deno.readTextFile(join(work, from)), { mode: 0o600 });
  }
}

async function make(work: string, args: readonly string[]): Promise<void> {
  const { success, stderr } = await openssl(args, { cwd: work });
  if (success) return;
  const reason = new TextDecoder().decode(stderr).trim().split("\n").at(-1);
  throw new CommandError(`openssl ${args[0]} could not make a certificate: ${reason}`);
}

/** Run openssl; what it writes is readable by the owner alone. */
async function openssl(
  args: readonly string[],
  { cwd }: { readonly cwd: string },
): Promise<Deno.CommandOutput> {
  return await new Deno.Command("sh", {
    args: ["-c", 'umask 077; exec openssl "$@"', "openssl", ...args],
    cwd,
    stdin: "null",
  }).output();
}
