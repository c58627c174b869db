/** The file of hosts that a deployment goes to. Pure. */

import { parseNodeId } from "../../trace/run_dir.ts";
import { quote } from "../../trace/schema.ts";

/** What a host does in the run. */
export type HostRole = "controller" | "worker";

/** One host. */
export interface Host {
  /** How ssh calls it: `[user@]host`. */
  readonly destination: string;
  /** Its address alone. */
  readonly address: string;
  /** Port of its sshd; null: as ssh's own configuration says. */
  readonly port: number | null;
  /** What it does. */
  readonly role: HostRole;
  /** NODE_ID of a worker; null: its own host name. */
  readonly nodeId: string | null;
  /** Where workers reach a controller; null: where ssh does. */
  readonly clusterAddress: string | null;
  /** Variables for its `run_id.env`, beside those of the run. */
  readonly variables: Readonly<Record<string, string>>;
  /** Flags for its worker or scheduler. */
  readonly flags: readonly string[];
}

/**
 * The hosts in `text`: a line each, `[user@]host[:port] controller|worker [NAME=value…] [--flag…]`;
 * `#` begins a comment.
 *
 * @throws {SyntaxError} naming `path`, line, and what is required.
 */
export function parseHosts(text: string, path: string): Host[] {
  const hosts: Host[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    const words = line.replace(/(^|\s)#.*/, "").trim().split(/\s+/).filter((word) => word !== "");
    if (words.length === 0) continue;
    hosts.push(parseHost(words, `${path} line ${index + 1}`));
  }
  const controllers = hosts.filter(({ role }) => role === "controller").length;
  if (controllers !== 1) {
    throw new SyntaxError(
      `Cannot use ${path}: exactly one controller is required, got ${controllers}`,
    );
  }
  requireDifferent(hosts.map(({ destination, port }) => `${destination}:${port ?? ""}`), {
    path,
    what: "host and user",
  });
  requireDifferent(hosts.flatMap(({ nodeId }) => nodeId ?? []), { path, what: "NODE_ID" });
  return hosts;
}

/** Two that share a home would overwrite each other's records. */
function requireDifferent(
  names: readonly string[],
  { path, what }: { readonly path: string; readonly what: string },
): void {
  const twice = names.find((name, index) => names.indexOf(name) < index);
  if (twice === undefined) return;
  throw new SyntaxError(
    `Cannot use ${path}: each line must have a ${what} of its own, got ${
      quote(twice.replace(/:$/, ""))
    } twice`,
  );
}

function parseHost([place = "", role, ...rest]: readonly string[], where: string): Host {
  const [, destination, address, port] = /^((?:[\w.-]+@)?([\w.-]+))(?::(\d{1,5}))?$/.exec(place) ??
    [];
  if (destination === undefined || address === undefined || place.startsWith("-")) {
    throw new SyntaxError(
      `Cannot use ${where}: [user@]host[:port] is required, got ${quote(place)}`,
    );
  }
  if (role !== "controller" && role !== "worker") {
    throw new SyntaxError(
      `Cannot use ${where}: controller or worker is required, got ${quote(role)}`,
    );
  }
  const variables: Record<string, string> = {};
  const flags: string[] = [];
  for (const word of rest) {
    const [, name, value = ""] = /^([A-Z][A-Z0-9_]*)=(.*)$/.exec(word) ?? [];
    if (name !== undefined && flags.length === 0) variables[name] = value;
    else flags.push(word);
  }
  if (flags[0] !== undefined && !flags[0].startsWith("--")) {
    throw new SyntaxError(
      `Cannot use ${where}: NAME=value or --flag is required, got ${quote(flags[0])}`,
    );
  }
  const { NODE_ID, ADDRESS = null, ...others } = variables;
  if (ADDRESS !== null && (role === "worker" || !/^[\w.:-]+$/.test(ADDRESS))) {
    throw new SyntaxError(
      `Cannot use ${where}: ADDRESS is one address of the controller, got ${quote(ADDRESS)}`,
    );
  }
  return {
    destination,
    address,
    port: port === undefined ? null : Number(port),
    role,
    nodeId: NODE_ID === undefined ? null : nodeIdAt(where, NODE_ID),
    clusterAddress: ADDRESS,
    variables: NODE_ID === undefined ? others : { NODE_ID, ...others },
    flags,
  };
}

function nodeIdAt(where: string, text: string): string {
  try {
    return parseNodeId(text);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new SyntaxError(`Cannot use ${where}: ${error.message}`, { cause: error });
  }
}
