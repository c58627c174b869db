/**
 * Headers of a message that is passed on: all of them, in their order and spelling, but those that
 * belong to one connection only (RFC 9110 section 7.6.1). Pure.
 *
 * Each connection of a client has a connection to the service of its own, and both end together. So
 * what is said about the connection itself (`close`, `keep-alive`, `TE`, `Upgrade`) holds for both, and
 * is passed on as this hop's own word.
 *
 * Headers are lists of names and values by turns, as they came off the wire.
 *
 * @module
 */

import { type TraceContext, traceparentOf } from "../trace_context.ts";

/** What this hop says itself when it is said to it. */
const CONNECTION_OPTIONS = ["close", "keep-alive", "te"];

/** What `Connection` may not take away: the frame of the message and its addressee. */
const NEVER_DROPPED = ["content-length", "transfer-encoding", "trailer", "host"];

/** `headers` but those called `name` (lower case). */
export function without(headers: readonly string[], name: string): string[] {
  return headers.filter((_, at) => !isNamed(headers[at - at % 2] as string, name));
}

/** All values of the header `name` (lower case). */
export function valuesOf(headers: readonly string[], name: string): string[] {
  const values: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    if (isNamed(headers[at] as string, name)) values.push(headers[at + 1] as string);
  }
  return values;
}

function isNamed(header: string, name: string): boolean {
  return header.length === name.length && header.toLowerCase() === name;
}

/**
 * `headers` as they continue: what `Connection` lists ends here, and `Proxy-Connection` always does.
 *
 * @param rules With `isUpgrade` false, `Upgrade` ends here too. Default: it continues.
 */
export function forwardedHeaders(
  headers: readonly string[],
  { isUpgrade }: { readonly isUpgrade: boolean } = { isUpgrade: true },
): string[] {
  const options = isUpgrade ? [...CONNECTION_OPTIONS, "upgrade"] : CONNECTION_OPTIONS;
  const isOwn = (option: string) => options.includes(option.trim().toLowerCase());
  const dropped = valuesOf(headers, "connection").flatMap((value) => value.split(","))
    .filter((option) => !isOwn(option)).map((option) => option.trim().toLowerCase())
    .filter((name) => !NEVER_DROPPED.includes(name));
  dropped.push("proxy-connection");
  const kept: string[] = [];
  for (let at = 0; at < headers.length; at += 2) {
    const name = headers[at] as string;
    const value = headers[at + 1] as string;
    if (isNamed(name, "connection")) {
      const own = value.split(",").filter(isOwn).join(",").trim();
      if (own !== "") kept.push(name, own);
    } else if (!dropped.includes(name.toLowerCase())) {
      kept.push(name, value);
    }
  }
  return kept;
}

/** What a request is passed on with. */
export interface RequestRules {
  /** Its place in its trace. */
  readonly context: TraceContext;
  /** False: the client's wish for another protocol is not passed on. */
  readonly isUpgrade: boolean;
}

/**
 * The headers of a request as the service gets them: `traceparent` takes the place of the one that
 * came, or is last; `tracestate` goes with a trace that is kept and not with a new one.
 */
export function requestHeaders(
  headers: readonly string[],
  { context, isUpgrade }: RequestRules,
): string[] {
  const passed: string[] = [];
  const kept = forwardedHeaders(headers, { isUpgrade });
  let isPlaced = false;
  for (let at = 0; at < kept.length; at += 2) {
    const name = kept[at] as string;
    if (isNamed(name, "traceparent")) {
      if (!isPlaced) passed.push(name, traceparentOf(context));
      isPlaced = true;
    } else if (context.parentId !== null || !isNamed(name, "tracestate")) {
      passed.push(name, kept[at + 1] as string);
    }
  }
  if (!isPlaced) passed.push("traceparent", traceparentOf(context));
  return passed;
}

/** A message's head as it is written: its start line and headers. */
export function headText(startLine: string, headers: readonly string[]): string {
  let text = `${startLine}\r\n`;
  for (let at = 0; at < headers.length; at += 2) text += `${headers[at]}: ${headers[at + 1]}\r\n`;
  return `${text}\r\n`;
}
