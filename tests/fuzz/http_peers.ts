/** Clients and services that send any bytes, on both sides of the HTTP adapter. */

import { RawPeer } from "../support/raw_peer.ts";
import { traceService } from "../support/traced_service.ts";
import type { Mutator } from "./mutate.ts";
import type { FuzzTarget } from "./target.ts";

const REQUESTS = [
  "GET /a?b=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
  "POST /up HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello",
  "PUT /c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n3\r\nabc\r\n0\r\nT: 1\r\n\r\n",
  "GET / HTTP/1.0\r\n\r\n",
  "GET /ws HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: y\r\n\r\n",
  "GET /1 HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\n\r\n",
];

const RESPONSES = [
  "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nT: 1\r\n\r\n",
  "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 None\r\n\r\n",
  "HTTP/1.1 101 Switching\r\nConnection: Upgrade\r\nUpgrade: y\r\n\r\nbytes",
  "HTTP/1.0 200 OK\r\n\r\nto the end",
];

const PROBE = "GET /probe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";

/** Longest wait for a peer that has no reason to answer, ms. */
const PATIENCE_MS = 60;

/** Whatever both sides send, the proxy lives and answers the next client. */
export async function httpPeers(): Promise<FuzzTarget> {
  let response = RESPONSES[0] as string;
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const peers = new Set<RawPeer>();
  async function serve(): Promise<void> {
    for await (const conn of listener) {
      const peer = new RawPeer(conn);
      peers.add(peer);
      answer(peer, () => response).catch(ignoreBroken).finally(() => {
        peer.close();
        peers.delete(peer);
      });
    }
  }
  const served = serve();
  const traced = await traceService({ target: listener.addr.port, stallMs: 0 });
  return {
    name: "http",
    async round(mutator: Mutator): Promise<void> {
      response = mutator.text(mutator.oneOf(RESPONSES));
      await exchange(traced.proxy.port, {
        request: mutator.text(mutator.oneOf(REQUESTS)),
        mutator,
      });
      response = RESPONSES[0] as string;
      await using probe = await RawPeer.connect(traced.proxy.port);
      await probe.send(PROBE);
      const { text } = await probe.toEnd();
      if (!text.endsWith("\r\n\r\nok")) throw new Error(`the next client got ${text}`);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await traced[Symbol.asyncDispose]();
      listener.close();
      for (const peer of peers) peer.close();
      await served;
    },
  };
}

/** Send the response to whatever comes, and close. */
async function answer(peer: RawPeer, response: () => string): Promise<void> {
  await peer.head();
  await peer.send(response());
}

/** Send `request`, sometimes no more after that, and read what comes until the patience ends. */
async function exchange(
  port: number,
  { request, mutator }: { readonly request: string; readonly mutator: Mutator },
): Promise<void> {
  await using client = await RawPeer.connect(port);
  try {
    await client.send(request);
    if (mutator.below(2) === 0) await client.shutdown();
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    ignoreBroken(error);
  }
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, PATIENCE_MS);
  const over = client.toEnd().then(() => {}, ignoreBroken);
  await Promise.race([promise, over]);
  clearTimeout(timer);
  client.close();
  await over;
}

/** The errors of a connection that the other side has given up. */
function ignoreBroken(error: Error): void {
  const isBroken = error instanceof Deno.errors.ConnectionReset ||
    error instanceof Deno.errors.BrokenPipe || error instanceof Deno.errors.NotConnected ||
    error instanceof Deno.errors.Interrupted || error instanceof Deno.errors.BadResource ||
    error instanceof Error && error.message.startsWith("Connection ended");
  if (!isBroken) throw error;
}
