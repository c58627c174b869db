/**
 * Sentinels: the files `pids/<pid>` by which a launcher says that a process is to be sampled.
 *
 * @module
 */

import { messageOf } from "../../trace/atomic_file.ts";
import { DecodeError } from "../../trace/schema.ts";
import { SENTINEL, type Sentinel } from "../../trace/records.ts";

/** What a sentinel says. */
export type SentinelContent =
  /** Written by our adapter: it names trace and start time. */
  | { readonly kind: "ours"; readonly sentinel: Sentinel }
  /** An empty file of any other launcher, and when it was written, epoch ms. */
  | { readonly kind: "empty"; readonly writtenMs: number }
  /** Something else. */
  | { readonly kind: "malformed"; readonly reason: string };

/** The process that a file in the folder of sentinels names; null for any other file. */
export function sentinelPid(name: string): number | null {
  return /^[1-9]\d{0,9}$/.test(name) ? Number(name) : null;
}

/** What the sentinel in `path` says; null when it is not there. */
export function readSentinel(path: string): SentinelContent | null {
  let text: string;
  let writtenMs: number;
  try {
    text = Deno.readTextFileSync(path);
    if (text.trim() !== "") return parseSentinel(text, path);
    writtenMs = Deno.statSync(path).mtime?.getTime() ?? 0;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    if (
      error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.IsADirectory
    ) {
      return { kind: "malformed", reason: messageOf(error) };
    }
    throw error;
  }
  return { kind: "empty", writtenMs };
}

/** What `text`, the content of a sentinel that is not empty, says. */
function parseSentinel(text: string, path: string): SentinelContent {
  try {
    return { kind: "ours", sentinel: SENTINEL.decode(JSON.parse(text), path) };
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof DecodeError)) throw error;
    return { kind: "malformed", reason: messageOf(error) };
  }
}
