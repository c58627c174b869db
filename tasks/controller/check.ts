/** What a stranger may do at a controller's Redis, tried from outside. */

import { connect } from "node:tls";
import { QUEUE_USERS } from "../../scheduler/queue/access.ts";
import type { RedisAddress } from "../../scheduler/queue/url.ts";
import { messageOf } from "../../trace/atomic_file.ts";
import { RedisWire, type WireReply } from "../redis/wire.ts";

/** One thing that was tried. */
export interface ControllerFinding {
  /** What was tried. */
  readonly check: string;
  /** True when the server did what it should. */
  readonly isOk: boolean;
  /** What it did; what to do where that is wrong. */
  readonly detail: string;
}

/** Nobody's user: what it is refused is under this name in the server's log, which is looked at too. */
const STRANGER = "tracekit-check";

/**
 * Try `address`, as a stranger and as the administrator whose password it has.
 *
 * @throws {CommandError} when nothing listens there.
 */
export async function checkController(address: RedisAddress): Promise<ControllerFinding[]> {
  const findings = address.isTls
    ? [await certificateHolds(address), await refusesPlaintext(address)]
    : [];
  if (findings[0]?.isOk === false) return findings;
  const stranger = await refuses(address, "no password", ["PING"], "NOAUTH");
  findings.push(stranger);
  if (stranger.isOver) return findings;
  findings.push(await refuses(address, "a wrong user", ["AUTH", STRANGER, "guess"], "WRONGPASS"));
  return [...findings, ...await asAdministrator(address)];
}

/** Days before its end at which a certificate is found fault with: time to renew it between two runs. */
const RENEW_DAYS = 30;

async function certificateHolds(address: RedisAddress): Promise<ControllerFinding> {
  const check = "its certificate holds";
  try {
    using _wire = await RedisWire.open(address);
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
    const advice = messageOf(error).includes("certificate")
      ? "--tls-ca names the authority; a new start of the controller makes a new certificate"
      : "it speaks no TLS: deno task controller start --tls";
    return { check, isOk: false, detail: `${messageOf(error)}; ${advice}` };
  }
  const end = await endOfCertificate(address);
  const days = Math.floor((end.getTime() - Date.now()) / 86_400_000);
  const until = `until ${end.toISOString().slice(0, 10)}`;
  return days >= RENEW_DAYS ? { check, isOk: true, detail: until } : {
    check,
    isOk: false,
    detail: `only ${until}, ${days} days: stop and start the controller, which makes a new one`,
  };
}

/** When the certificate of the server ends; it was found good before. */
function endOfCertificate({ host, port, tlsCa }: RedisAddress): Promise<Date> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, ...tlsCa === null ? {} : { ca: tlsCa } }, () => {
      resolve(new Date(socket.getPeerCertificate().valid_to));
      socket.destroy();
    });
    socket.on("error", reject);
  });
}

/** True when what the other side sent, or did not send, is no answer of the protocol that was tried. */
function isNoAnswer(error: unknown): error is Error {
  const { ConnectionReset, InvalidData, TimedOut, UnexpectedEof } = Deno.errors;
  return [ConnectionReset, InvalidData, TimedOut, UnexpectedEof, SyntaxError]
    .some((kind) => error instanceof kind);
}

async function refuses(
  address: RedisAddress,
  who: string,
  command: readonly string[],
  expected: string,
): Promise<ControllerFinding & { readonly isOver: boolean }> {
  const check = `${who} is refused`;
  let reply: WireReply;
  try {
    using wire = await RedisWire.open(address);
    reply = await wire.ask(...command);
  } catch (error) {
    if (!isNoAnswer(error)) throw error;
    const detail = `${
      messageOf(error)
    }: it is not a Redis server, or one that speaks TLS (rediss://)`;
    return { check, isOk: false, detail, isOver: true };
  }
  const text = textOf(reply);
  if (reply.kind === "error" && text.startsWith(expected)) {
    return { check, isOk: true, detail: expected, isOver: false };
  }
  // Protected mode answers a stranger with a page of text, and then nothing else.
  const isDenied = text.startsWith("DENIED");
  const found = isDenied
    ? "no password is set, and only protected mode keeps others out"
    : `the server answered ${text}: whoever reaches the port may do everything`;
  const detail = `${found}; set requirepass, or run deno task controller start`;
  return { check, isOk: false, detail, isOver: isDenied };
}

async function refusesPlaintext(address: RedisAddress): Promise<ControllerFinding> {
  const check = "plaintext is refused";
  try {
    using wire = await RedisWire.open({ ...address, isTls: false });
    const reply = await wire.ask("PING");
    return {
      check,
      isOk: false,
      detail: `the server answered ${textOf(reply)} without TLS; set "port 0" in redis.conf`,
    };
  } catch (error) {
    // Closed, reset, or an answer in another protocol: each is a refusal.
    if (!(error instanceof Error)) throw error;
    return { check, isOk: true, detail: messageOf(error) };
  }
}

/** Settings that lose or expose tasks, and what they should be. */
const SETTINGS: readonly { name: string; isOk: (value: string) => boolean; cost: string }[] = [
  {
    name: "appendonly",
    isOk: (value) => value === "yes",
    cost: "a crash of Redis loses every task; set appendonly yes",
  },
  {
    name: "appendfsync",
    isOk: (value) => value !== "no",
    cost: "a power failure loses what the kernel had not written yet; set appendfsync everysec",
  },
  {
    name: "maxmemory-policy",
    isOk: (value) => value === "noeviction",
    cost: "a full Redis throws tasks away; set maxmemory-policy noeviction",
  },
  {
    name: "protected-mode",
    isOk: (value) => value === "yes",
    cost: "without a password the whole network is let in; set protected-mode yes",
  },
  {
    name: "bind",
    isOk: (value) => !/(^| )(\*|-?::\*?|0\.0\.0\.0)( |$)/.test(value) && value !== "",
    cost: "it listens on every network of this machine; bind the cluster's addresses alone",
  },
];

async function asAdministrator(address: RedisAddress): Promise<ControllerFinding[]> {
  const check = "the administrator is let in";
  using wire = await RedisWire.open(address);
  if (address.password !== null) {
    const entry = await wire.ask("AUTH", address.username ?? "default", address.password);
    if (entry.kind === "error") return [{ check, isOk: false, detail: entry.text }];
  }
  // Where no password is set, everybody is the administrator.
  const config = await wire.ask("CONFIG", "GET", "bind");
  if (config.kind === "error") {
    const detail = `its settings were not looked at (${config.text}): give the administrator's ` +
      "password, --redis-password-file DIR/admin.password";
    return [{ check, isOk: false, detail }];
  }
  const findings: ControllerFinding[] = [{ check, isOk: true, detail: "OK" }];
  for (const setting of SETTINGS) findings.push(await settingIsSafe(wire, setting));
  return [
    ...findings,
    await connectionsAreLeft(wire),
    await rolesAreConfined(wire),
    await dangerIsTheAdministrators(wire, address.username ?? "default"),
    await nobodyWasRefused(wire),
  ];
}

async function settingIsSafe(
  wire: RedisWire,
  { name, isOk, cost }: typeof SETTINGS[number],
): Promise<ControllerFinding> {
  const value = await settingOf(wire, name);
  const isSafe = isOk(value);
  const found = JSON.stringify(value);
  return {
    check: `${name} is safe`,
    isOk: isSafe,
    detail: isSafe ? found : `it is ${found}: ${cost}`,
  };
}

async function settingOf(wire: RedisWire, name: string): Promise<string> {
  const reply = await wire.ask("CONFIG", "GET", name);
  return reply.kind === "list" ? textOf(reply.items[1]) : "";
}

/** Part of the connections in use at which more are asked for: a batch of new workers has to fit. */
const CROWDED = 0.8;

async function connectionsAreLeft(wire: RedisWire): Promise<ControllerFinding> {
  const check = "connections are left";
  const most = Number(await settingOf(wire, "maxclients"));
  const info = textOf(await wire.ask("INFO", "clients"));
  const used = Number(/^connected_clients:(\d+)/m.exec(info)?.[1]);
  const found = `${used} of ${most} in use, two for each worker`;
  return used < CROWDED * most ? { check, isOk: true, detail: found } : {
    check,
    isOk: false,
    detail: `${found}: further roles are turned away; raise maxclients and the limit on open files`,
  };
}

/** Each role has a user of its own that may not do everything. */
async function rolesAreConfined(wire: RedisWire): Promise<ControllerFinding> {
  const check = "each role has its own, confined user";
  const reply = await wire.ask("ACL", "LIST");
  const rules = reply.kind === "list" ? reply.items.map(textOf) : [];
  const open = QUEUE_USERS.filter((user) => {
    const rule = rules.find((one) => one.startsWith(`user ${user} on `));
    return rule === undefined || / (nopass|~\*|\+@all)( |$)/.test(rule);
  });
  return open.length === 0 ? { check, isOk: true, detail: QUEUE_USERS.join(", ") } : {
    check,
    isOk: false,
    detail: `missing or unconfined: ${open.join(", ")}; deno task controller start makes them`,
  };
}

/** Commands that end the queue, open the server, or read what is other people's. */
const DANGEROUS: readonly (readonly string[])[] = [
  ["FLUSHALL"],
  ["CONFIG", "SET", "dir", "/"],
  ["SHUTDOWN"],
  ["DEBUG", "SLEEP", "0"],
  ["REPLICAOF", "NO", "ONE"],
  ["ACL", "LIST"],
  ["KEYS", "*"],
  ["EVAL", "return 1", "0"],
];

/** Who else than the administrator may do what is dangerous, by the server's own judgement. */
async function dangerIsTheAdministrators(
  wire: RedisWire,
  administrator: string,
): Promise<ControllerFinding> {
  const check = "dangerous commands are off for roles";
  const reply = await wire.ask("ACL", "USERS");
  const users = (reply.kind === "list" ? reply.items.map(textOf) : [])
    .filter((user) => user !== administrator);
  if (users.length === 0) {
    const detail = "there is no user but the administrator's, so each role may do everything";
    return { check, isOk: false, detail };
  }
  const open: string[] = [];
  for (const user of users) {
    for (const command of DANGEROUS) {
      const judged = await wire.ask("ACL", "DRYRUN", user, ...command);
      if (judged.kind === "error") {
        return { check, isOk: false, detail: `not tried, Redis 7 is required: ${judged.text}` };
      }
      if (textOf(judged) === "OK") open.push(`${user}: ${command[0]}`);
    }
  }
  return open.length === 0 ? { check, isOk: true, detail: `tried for ${users.join(", ")}` } : {
    check,
    isOk: false,
    detail: `open to ${open.join(", ")}; give each role the rules of deno task controller start`,
  };
}

/** The server's own log of who was refused what: a guessed password, or a role beyond its rights. */
async function nobodyWasRefused(wire: RedisWire): Promise<ControllerFinding> {
  const check = "nobody was refused anything";
  const reply = await wire.ask("ACL", "LOG", "128");
  const refused = new Map<string, number>();
  for (const entry of reply.kind === "list" ? reply.items : []) {
    const fields = entry.kind === "list" ? entry.items.map(textOf) : [];
    const field = (name: string) => fields[fields.indexOf(name) + 1] ?? "";
    if (field("username") === STRANGER) continue;
    const what = `${field("username")} ${field("object")} (${field("reason")})`;
    refused.set(what, (refused.get(what) ?? 0) + Number(field("count")));
  }
  const list = [...refused].map(([what, count]) => `${count} × ${what}`).join(", ");
  return refused.size === 0 ? { check, isOk: true, detail: "ACL LOG has nobody else" } : {
    check,
    isOk: false,
    detail: `${list}; ACL LOG says from where, ACL LOG RESET begins again`,
  };
}

function textOf(reply: WireReply | undefined): string {
  if (reply === undefined) return "nothing";
  return reply.kind === "list" ? `${reply.items.length} items` : reply.text;
}
