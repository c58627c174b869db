/** What a stranger may do at a controller's Redis, tried from outside. */

import { QUEUE_USERS } from "../scheduler/access.ts";
import type { RedisAddress } from "../scheduler/redis_url.ts";
import { messageOf } from "../trace/atomic_file.ts";
import { RedisWire, type WireReply } from "./_redis_wire.ts";

/** One thing that was tried. */
export interface ControllerFinding {
  /** What was tried. */
  readonly check: string;
  /** True when the server did what it should. */
  readonly isOk: boolean;
  /** What it did; what to do where that is wrong. */
  readonly detail: string;
}

/** Try `address`, as a stranger and as the administrator whose password it has. */
export async function checkController(address: RedisAddress): Promise<ControllerFinding[]> {
  const findings = [
    await refuses(address, "no password", ["PING"], "NOAUTH"),
    await refuses(address, "a wrong password", ["AUTH", "worker", "not the password"], "WRONGPASS"),
    ...address.isTls ? [await refusesPlaintext(address)] : [],
  ];
  return [...findings, ...await settings(address)];
}

async function refuses(
  address: RedisAddress,
  who: string,
  command: readonly string[],
  expected: string,
): Promise<ControllerFinding> {
  using wire = await RedisWire.open(address);
  const { kind, ...reply } = await wire.ask(...command);
  const text = "text" in reply ? reply.text : kind;
  return kind === "error" && text.startsWith(expected)
    ? { check: `${who} is refused`, isOk: true, detail: expected }
    : {
      check: `${who} is refused`,
      isOk: false,
      detail: `the server answered ${text}; set requirepass, or run deno task controller start`,
    };
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

async function settings(address: RedisAddress): Promise<ControllerFinding[]> {
  const check = "the administrator is let in";
  if (address.password === null) {
    const detail = "its settings were not looked at: give --redis-password-file DIR/admin.password";
    return [{ check, isOk: false, detail }];
  }
  using wire = await RedisWire.open(address);
  const entry = await wire.ask("AUTH", address.username ?? "default", address.password);
  if (entry.kind === "error") return [{ check, isOk: false, detail: entry.text }];
  const findings: ControllerFinding[] = [{ check, isOk: true, detail: "OK" }];
  for (const { name, isOk, cost } of SETTINGS) {
    const reply = await wire.ask("CONFIG", "GET", name);
    const value = reply.kind === "list" ? textOf(reply.items[1]) : "";
    const fine = reply.kind === "list" && isOk(value);
    const found = reply.kind === "error" ? reply.text : JSON.stringify(value);
    findings.push({
      check: `${name} is safe`,
      isOk: fine,
      detail: fine ? found : `it is ${found}: ${cost}`,
    });
  }
  return [...findings, await rolesAreConfined(wire)];
}

/** Each role has a user of its own that may not do everything. */
async function rolesAreConfined(wire: RedisWire): Promise<ControllerFinding> {
  const check = "each role has its own, confined user";
  const reply = await wire.ask("ACL", "LIST");
  const rules = reply.kind === "list" ? reply.items.map(textOf) : [];
  const open = QUEUE_USERS.filter((user) => {
    const rule = rules.find((one) => one.startsWith(`user ${user} `));
    return rule === undefined || / ~\* |\+@all/.test(rule);
  });
  return open.length === 0 ? { check, isOk: true, detail: QUEUE_USERS.join(", ") } : {
    check,
    isOk: false,
    detail: `missing or unconfined: ${open.join(", ")}; deno task controller start makes them`,
  };
}

function textOf(reply: WireReply | undefined): string {
  if (reply === undefined) return "nothing";
  return reply.kind === "list" ? `${reply.items.length} items` : reply.text;
}
