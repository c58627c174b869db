/**
 * Every change of the queue's state: one Lua script each, with its arguments by name.
 *
 * @module
 */

import { createHash } from "node:crypto";
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

const PRELUDE = [keysPrelude, nodesPrelude, tasksPrelude, leasesPrelude].join("\n");

function script(name: string, body: string): Script {
  const source = `${PRELUDE}\n${body}`;
  const named = [...body.matchAll(/^-- ARGV\[(\d+)(\.\.\.)?\]/gm)];
  return {
    name,
    source,
    sha1: createHash("sha1").update(source).digest("hex"),
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
  adopt: script("adopt", adopt),
  assign: script("assign", assign),
  bury: script("bury", bury),
  cancel: script("cancel", cancel),
  cancelRemoved: script("cancel_removed", cancelRemoved),
  claim: script("claim", claim),
  claimDirect: script("claim_direct", claimDirect),
  disown: script("disown", disown),
  drain: script("drain", drain),
  enqueue: script("enqueue", enqueue),
  finish: script("finish", finish),
  heartbeat: script("heartbeat", heartbeat),
  lead: script("lead", lead),
  leave: script("leave", leave),
  lose: script("lose", lose),
  readNodes: script("read_nodes", readNodes),
  register: script("register", register),
  requeue: script("requeue", requeue),
  resign: script("resign", resign),
  resume: script("resume", resume),
  trimResults: script("trim_results", trimResults),
} as const;
