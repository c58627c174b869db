/**
 * Every change of the queue's state: one Lua script each, with its arguments by name.
 *
 * @module
 */

import keysPrelude from "./lua/_keys.lua" with { type: "text" };
import nodesPrelude from "./lua/_nodes.lua" with { type: "text" };
import tasksPrelude from "./lua/_tasks.lua" with { type: "text" };
import leasesPrelude from "./lua/_leases.lua" with { type: "text" };
import adopt from "./lua/adopt.lua" with { type: "text" };
import assign from "./lua/assign.lua" with { type: "text" };
import bury from "./lua/bury.lua" with { type: "text" };
import cancel from "./lua/cancel.lua" with { type: "text" };
import cancelRemoved from "./lua/cancel_removed.lua" with { type: "text" };
import claim from "./lua/claim.lua" with { type: "text" };
import claimDirect from "./lua/claim_direct.lua" with { type: "text" };
import configure from "./lua/configure.lua" with { type: "text" };
import disown from "./lua/disown.lua" with { type: "text" };
import drain from "./lua/drain.lua" with { type: "text" };
import enqueue from "./lua/enqueue.lua" with { type: "text" };
import finish from "./lua/finish.lua" with { type: "text" };
import heartbeat from "./lua/heartbeat.lua" with { type: "text" };
import lead from "./lua/lead.lua" with { type: "text" };
import leave from "./lua/leave.lua" with { type: "text" };
import lose from "./lua/lose.lua" with { type: "text" };
import readNodes from "./lua/read_nodes.lua" with { type: "text" };
import register from "./lua/register.lua" with { type: "text" };
import requeue from "./lua/requeue.lua" with { type: "text" };
import resign from "./lua/resign.lua" with { type: "text" };
import resume from "./lua/resume.lua" with { type: "text" };
import settle from "./lua/settle.lua" with { type: "text" };
import trimResults from "./lua/trim_results.lua" with { type: "text" };

/** One script as it is sent to Redis. */
export interface Script {
  /** Name of its file. */
  readonly name: string;
  /** Prelude and body. */
  readonly source: string;
  /** What Redis knows it by. */
  readonly sha1: string;
  /** How many arguments its header names. */
  readonly argumentCount: number;
  /** True where the last of them may be repeated, or be missing. */
  readonly isOpenEnded: boolean;
}

/** SHA-1 of `text`, hex. By the web's API: node:crypto costs 20 ms at each start. */
async function sha1(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-1", new TextEncoder().encode(text));
  return new Uint8Array(digest).toHex();
}

const PRELUDE = [keysPrelude, nodesPrelude, tasksPrelude, leasesPrelude].join("\n");

async function script(name: string, body: string): Promise<Script> {
  const source = `${PRELUDE}\n${body}`;
  const named = [...body.matchAll(/^-- ARGV\[(\d+)(\.\.\.)?\]/gm)];
  return {
    name,
    source,
    sha1: await sha1(source),
    argumentCount: named.length,
    isOpenEnded: named.at(-1)?.[2] !== undefined,
  };
}

/**
 * Check a call against the header of its script.
 *
 * @throws {TypeError} when the number of arguments is another: the caller is wrong.
 */
export function checkArguments(called: Script, args: readonly string[]): void {
  const { name, argumentCount, isOpenEnded } = called;
  const isRight = isOpenEnded ? args.length >= argumentCount - 1 : args.length === argumentCount;
  if (isRight) return;
  const bound = isOpenEnded ? `at least ${argumentCount - 1}` : String(argumentCount);
  throw new TypeError(
    `Cannot run ${name}.lua: ${bound} arguments are required, got ${args.length}`,
  );
}

/** The scripts by the name that code uses. */
export const SCRIPTS = {
  adopt: await script("adopt", adopt),
  assign: await script("assign", assign),
  bury: await script("bury", bury),
  cancel: await script("cancel", cancel),
  cancelRemoved: await script("cancel_removed", cancelRemoved),
  claim: await script("claim", claim),
  claimDirect: await script("claim_direct", claimDirect),
  configure: await script("configure", configure),
  disown: await script("disown", disown),
  drain: await script("drain", drain),
  enqueue: await script("enqueue", enqueue),
  finish: await script("finish", finish),
  heartbeat: await script("heartbeat", heartbeat),
  lead: await script("lead", lead),
  leave: await script("leave", leave),
  lose: await script("lose", lose),
  readNodes: await script("read_nodes", readNodes),
  register: await script("register", register),
  requeue: await script("requeue", requeue),
  resign: await script("resign", resign),
  resume: await script("resume", resume),
  settle: await script("settle", settle),
  trimResults: await script("trim_results", trimResults),
} as const;
