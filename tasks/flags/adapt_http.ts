/** Flags of the HTTP adapter. */

import type { ServiceAddress } from "../../adapter/http/failure.ts";
import { command, integer, number, type OptionsOf, text } from "../command/flag_table.ts";
import { UsageError } from "../command/usage_error.ts";
import { commandNamed } from "../commands.ts";
import { CONTAINER_FLAGS } from "./groups/container.ts";
import { RUN_FLAGS } from "./groups/run.ts";

/** `deno task adapt-http`. */
export const ADAPT_HTTP = command({
  ...commandNamed("adapt-http"),
  flags: {
    ...RUN_FLAGS,
    "listen": text("Address for clients; port 0 takes a free one.", {
      env: "HTTP_LISTEN",
      placeholder: "HOST:PORT",
    }),
    "target": text("Address of the service.", {
      env: "HTTP_TARGET",
      placeholder: "http://HOST:PORT",
    }),
    "pid": integer("The service is this process and its descendants.", {
      min: 1,
      placeholder: "PID",
    }),
    "cgroup": text(
      "The service is the processes of this cgroup: a directory, or a path below a mount.",
      {
        placeholder: "PATH",
      },
    ),
    ...CONTAINER_FLAGS,
    "interval-ms": integer("Interval between readings of the service's CPU time.", {
      env: "PROC_INTERVAL_MS",
      fallback: 200,
      min: 1,
      placeholder: "MS",
    }),
    "stall-timeout-s": number(
      "Answer 504 when the service sends nothing for this long; 0: never.",
      { fallback: 60, min: 0, placeholder: "S" },
    ),
    "grace-s": number(
      "Time for open requests to end after SIGTERM; a second SIGTERM ends them at once.",
      {
        fallback: 10,
        min: 0,
        placeholder: "S",
      },
    ),
  },
  notes: [
    "Example: deno task adapt-http --listen 127.0.0.1:8080 --target http://127.0.0.1:9000 --pid 4711",
    "Then send the load (wrk, vegeta, k6) to http://127.0.0.1:8080. Events: events.http.jsonl.",
  ],
});

/** Values of the flags of {@linkcode ADAPT_HTTP}. */
export type AdaptHttpOptions = OptionsOf<typeof ADAPT_HTTP.flags>;

/**
 * The address in `text`: `HOST:PORT`, the host of IPv6 in brackets.
 *
 * @throws {UsageError} when it is none.
 */
export function listenAddress(text: string | null): ServiceAddress {
  const [, bracketed, plain, port = ""] =
    /^(?:\[([^\]]+)\]|([^:[\]/]+)):(\d{1,5})$/.exec(text ?? "") ??
      [];
  const hostname = bracketed ?? plain;
  if (hostname === undefined || Number(port) > 65535) {
    throw new UsageError(`--listen must be HOST:PORT, got ${JSON.stringify(text)}`);
  }
  return { hostname, port: Number(port) };
}

/**
 * The address in `text`: `http://HOST:PORT` and nothing behind it, as paths pass through untouched.
 *
 * @throws {UsageError} when it is anything else.
 */
export function targetAddress(text: string | null): ServiceAddress {
  const url = text === null ? null : URL.parse(text);
  const isPlain = url !== null && url.protocol === "http:" && url.username === "" &&
    url.password === "" && url.pathname === "/" && url.search === "" && url.hash === "";
  if (!isPlain) {
    throw new UsageError(
      `--target must be http://HOST:PORT without a path, got ${JSON.stringify(text)}`,
    );
  }
  const hostname = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { hostname, port: url.port === "" ? 80 : Number(url.port) };
}
