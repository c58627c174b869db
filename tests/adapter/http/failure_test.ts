import { assertEquals, assertMatch, assertRejects, assertStringIncludes } from "@std/assert";
import { HttpProxy, ListenError } from "../../../adapter/http/proxy.ts";
import { CLOSED_PORT } from "../../support/ports.ts";
import { RawPeer, RawService } from "../../support/raw_peer.ts";
import { traceService } from "../../support/traced_service.ts";
import { waitFor } from "../../support/wait_for.ts";

const GET = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

Deno.test("HttpProxy answers 502 where the service refuses connections", async () => {
  await using traced = await traceService({ target: CLOSED_PORT });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc");
  const { text } = await client.toEnd();
  assertMatch(text, /^HTTP\/1\.1 502 Bad Gateway\r\n/);
  assertStringIncludes(text, "refuses connections");
  const [event] = await traced.events(1);
  assertEquals([event?.status, event?.is_aborted, event?.ts_forward], [502, true, null]);
  assertEquals(event?.reason, `the service at 127.0.0.1:${CLOSED_PORT} refuses connections`);
});

Deno.test("HttpProxy answers 502 where the service closes a new connection without a word", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(GET);
  const peer = await service.accept();
  await peer.head();
  peer.close();
  assertMatch((await client.toEnd()).text, /^HTTP\/1\.1 502 /);
  const [event] = await traced.events(1);
  assertEquals(event?.reason, "the service closed the connection without an answer");
});

Deno.test("HttpProxy answers 502 where the service does not speak HTTP", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(GET);
  const peer = await service.accept();
  await peer.head();
  await peer.send("SSH-2.0-OpenSSH_9.2\r\n\r\n");
  assertMatch((await client.toEnd()).text, /^HTTP\/1\.1 502 /);
  assertEquals((await traced.events(1))[0]?.is_aborted, true);
});

const BREAKS = [
  { what: "a counted body", head: "Content-Length: 100\r\n\r\npart", seen: "part" },
  {
    what: "a chunked body",
    head: "Transfer-Encoding: chunked\r\n\r\n4\r\npart\r\n",
    seen: "part\r\n",
  },
] as const;

Deno.test.each(BREAKS)("HttpProxy breaks $what off where the service dies in it", async (one) => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(GET);
  const peer = await service.accept();
  await peer.head();
  await peer.send(`HTTP/1.1 200 OK\r\n${one.head}`);
  await client.until(one.seen);
  peer.close();
  assertEquals((await client.toEnd()).text, "");
  const [event] = await traced.events(1);
  assertEquals([event?.status, event?.is_aborted, event?.bytes_out], [200, true, 4]);
  assertEquals(event?.reason, "the service closed the connection in the middle of its answer");
});

Deno.test("HttpProxy resets a client whose body would end with the connection", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port, stallMs: 400 });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send("GET / HTTP/1.0\r\nHost: x\r\n\r\n");
  const peer = await service.accept();
  await peer.head();
  await peer.send("HTTP/1.1 200 OK\r\n\r\npart");
  await client.until("part");
  assertEquals(await client.toEnd(), { text: "", isReset: true });
  assertEquals((await traced.events(1))[0]?.is_aborted, true);
});

Deno.test("HttpProxy answers 504 where the service is silent, and lets go of it", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port, stallMs: 300 });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(GET);
  const peer = await service.accept();
  await peer.head();
  assertMatch((await client.toEnd()).text, /^HTTP\/1\.1 504 Gateway Timeout\r\n/);
  assertEquals((await peer.toEnd()).text, "");
  const [event] = await traced.events(1);
  assertEquals([event?.status, event?.is_aborted], [504, true]);
  assertMatch(event?.reason ?? "", /was silent for 300 ms$/);
});

Deno.test("HttpProxy breaks off where the service stalls in a body", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port, stallMs: 300 });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(GET);
  const peer = await service.accept();
  await peer.head();
  await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\npart");
  await client.until("part");
  assertEquals((await client.toEnd()).text, "");
  assertEquals((await traced.events(1))[0]?.status, 200);
});

Deno.test("HttpProxy does not take a client that is slow to send for a stalled service", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port, stallMs: 200 });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n");
  const peer = await service.accept();
  await peer.head();
  for (const piece of "body") {
    // Silence of the client beyond the limit is what this test is about.
    await new Promise((resolve) => setTimeout(resolve, 400));
    await client.send(piece);
  }
  assertEquals(await peer.take(4), "body");
  await peer.send(OK);
  assertEquals(await client.take(OK.length), OK);
  assertEquals((await traced.events(1))[0]?.reason, null);
});

Deno.test("HttpProxy tells the service that the client sends nothing more, which may end it", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  const client = await RawPeer.connect(traced.proxy.port);
  await client.send(GET);
  const peer = await service.accept();
  await peer.head();
  client.close();
  assertEquals((await peer.toEnd()).text, "");
  peer.close();
  const [event] = await traced.events(1);
  assertEquals([event?.status, event?.is_aborted], [502, true]);
  assertEquals(event?.reason, "the client closed the connection");
});

Deno.test("HttpProxy breaks a request off whose client dies in its body", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  const client = await RawPeer.connect(traced.proxy.port);
  await client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\npart");
  const peer = await service.accept();
  await peer.head();
  await peer.until("part");
  client.close();
  assertEquals((await peer.toEnd()).text, "");
  const [event] = await traced.events(1);
  assertEquals([event?.bytes_in, event?.is_aborted], [4, true]);
});

Deno.test("HttpProxy passes an answer on that comes before the request is whole", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\npart");
  const peer = await service.accept();
  await peer.head();
  await peer.send(
    "HTTP/1.1 413 Content Too Large\r\nConnection: close\r\nContent-Length: 2\r\n\r\nno",
  );
  peer.close();
  assertMatch(await client.until("no"), /^HTTP\/1\.1 413 /);
  const [event] = await traced.events(1);
  assertEquals(event?.status, 413);
});

Deno.test("HttpProxy closes an idle connection that the service closes", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(GET);
  const peer = await service.accept();
  await peer.head();
  await peer.send(OK);
  await client.take(OK.length);
  peer.close();
  assertEquals((await client.toEnd()).text, "");
});

Deno.test("HttpProxy closes without an answer where a kept connection to the service was closed", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(GET);
  const peer = await service.accept();
  await peer.head();
  await peer.send(OK);
  await client.take(OK.length);
  await client.send("POST /again HTTP/1.1\r\nHost: x\r\n\r\n");
  await peer.head();
  peer.close();
  // Nothing: the client knows by itself that its request may not have been seen, and no 502 hides that.
  assertEquals((await client.toEnd()).text, "");
  assertEquals((await traced.events(2))[1]?.status, null);
});

const MALFORMED = [
  {
    what: "a flood of headers",
    status: 431,
    request: `${GET.trimEnd()}\r\n${"X-H: v\r\n".repeat(1_000_000)}\r\n`,
  },
  { what: "what is not HTTP", status: 400, request: "\x16\x03\x01\x00\xa5\x01\r\n\r\n" },
  {
    what: "a body of two lengths",
    status: 400,
    request: "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
  },
  {
    what: "a body both counted and chunked",
    status: 400,
    request:
      "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
  },
  { what: "a tunnel", status: 501, request: "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n" },
] as const;

Deno.test.each(MALFORMED)("HttpProxy refuses $what with $status", async (one) => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(one.request);
  assertMatch((await client.toEnd()).text, new RegExp(`^HTTP/1\\.1 ${one.status} `));
  const [event] = await traced.events(1);
  assertEquals([event?.event, event?.status], ["refused", one.status]);
  assertEquals(service.acceptedCount, 0);
});

Deno.test("HttpProxy breaks off where a chunk of the request is malformed", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send("PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
  const peer = await service.accept();
  await peer.until("abc\r\n");
  await client.send("nonsense\r\n");
  assertEquals((await peer.toEnd()).text, "");
  assertMatch((await client.toEnd()).text, /^HTTP\/1\.1 400 /);
  const [event] = await traced.events(1);
  assertEquals([event?.status, event?.is_aborted], [400, true]);
  assertMatch(event?.reason ?? "", /^the client's request is malformed/);
});

Deno.test("drain() lets open requests end and takes no new ones", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using idle = await RawPeer.connect(traced.proxy.port);
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(GET);
  const peer = await service.accept();
  await peer.head();
  const drained = traced.proxy.drain();
  assertEquals((await idle.toEnd()).text, "");
  await assertRejects(() => RawPeer.connect(traced.proxy.port), Error);
  await peer.send(OK);
  assertStringIncludes((await client.toEnd()).text, "ok");
  await drained;
});

Deno.test("HttpProxy.open() says where it cannot listen", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  const listen = { hostname: "127.0.0.1", port: service.port };
  const options = { listen, target: listen, stallMs: 0, recorder: traced.recorder };
  await assertRejects(() => HttpProxy.open(options), ListenError, `127.0.0.1:${service.port}`);
});

Deno.test("HttpProxy holds no connection of clients that are gone", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  const clients = await Promise.all(
    Array.from({ length: 20 }, () => RawPeer.connect(traced.proxy.port)),
  );
  const peers: RawPeer[] = [];
  for (const client of clients) {
    await client.send(GET);
    const peer = await service.accept();
    await peer.head();
    peers.push(peer);
  }
  assertEquals(traced.proxy.openCount, 20);
  for (const client of clients) client.close();
  for (const peer of peers) {
    await peer.toEnd();
    peer.close();
  }
  await waitFor({
    what: "every exchange to end",
    read: () => traced.proxy.openCount,
    until: (count) => count === 0,
  });
});
