/** Peers that speak HTTP as few do, or not at all: each gets what it would get without the proxy, or a refusal. */

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { RawPeer, RawService } from "../../support/raw_peer.ts";
import { type TracedService, traceService } from "../../support/traced_service.ts";

const GET = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

interface Sides {
  readonly traced: TracedService;
  readonly service: RawService;
  readonly client: RawPeer;
}

async function between(work: (sides: Sides) => Promise<void>): Promise<void> {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await work({ service, traced, client });
}

Deno.test.each([
  ["a control character in the reason", "HTTP/1.1 200 \x1b[31m\r\nContent-Length: 2\r\n\r\nok"],
  ["a status below 100", "HTTP/1.1 099 Odd\r\nContent-Length: 2\r\n\r\nok"],
  ["a status of 0 after an interim response", "HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 000 Odd\r\n\r\n"],
  [
    "a control character in a header",
    "HTTP/1.1 200 OK\r\nX: a\x01b\r\nContent-Length: 2\r\n\r\nok",
  ],
  ["two lengths", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nok"],
  ["HTTP/2.0", "HTTP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nok"],
  ["HTTP/0.9", "HTTP/0.9 200 OK\r\nContent-Length: 2\r\n\r\nok"],
  ["another protocol that nobody asked for", "HTTP/1.1 101 X\r\nUpgrade: x\r\n\r\n"],
])("HttpProxy answers 502 to %s of the service, and works on", async (_what, response) => {
  await between(async ({ client, service, traced }) => {
    await client.send(GET);
    const peer = await service.accept();
    await peer.head();
    await peer.send(response);
    assertMatch((await client.toEnd()).text, /(^|\r\n\r\n)HTTP\/1\.1 502 Bad Gateway\r\n/);
    await using other = await RawPeer.connect(traced.proxy.port);
    await other.send(GET);
    const next = await service.accept();
    await next.head();
    await next.send(OK);
    assertEquals((await other.toEnd()).text, OK);
    const events = await traced.events(2);
    assertEquals(events.map(({ is_aborted }) => is_aborted), [true, false]);
  });
});

Deno.test.each(["GET / HTTP/2.0\r\nHost: x\r\n\r\n", "GET / HTTP/0.9\r\n\r\n", "GET /\r\n\r\n"])(
  "HttpProxy refuses %j, of a version that it does not speak",
  async (request) => {
    await between(async ({ client, service, traced }) => {
      await client.send(request);
      assertMatch(await client.until("\r\n\r\n"), /^HTTP\/1\.1 505 HTTP Version Not Supported\r\n/);
      client.close();
      const [event] = await traced.events(1);
      assertEquals([event?.event, event?.status], ["refused", 505]);
      assertEquals(service.acceptedCount, 0);
    });
  },
);

Deno.test.each([
  ["GET / HTTP/1.0\r\n\r\n", OK],
  ["GET / HTTP/1.0\r\nHost: x\r\nAccept: */*\r\n\r\n", OK],
  [
    "GET / HTTP/1.0\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
  ],
  ["HEAD / HTTP/1.0\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"],
  ["POST / HTTP/1.0\r\nContent-Length: 2\r\n\r\nab", "HTTP/1.1 204 None\r\n\r\n"],
])(
  "HttpProxy answers %j and closes, whatever the service keeps open",
  async (request, response) => {
    await between(async ({ client, service }) => {
      await client.send(request);
      const peer = await service.accept();
      await peer.head();
      await peer.send(response);
      const { text, isReset } = await client.toEnd();
      assertMatch(text, /^HTTP\/1\.1 20[04] /);
      assertEquals(isReset, false);
    });
  },
);

Deno.test("HttpProxy keeps the connection of an old client that asks for it, and says so", async () => {
  await between(async ({ client, service }) => {
    await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const peer = await service.accept();
    for (let turn = 0; turn < 2; turn++) {
      await peer.head();
      await peer.send(OK.replace("\r\n\r\n", "\r\nConnection: keep-alive\r\n\r\n"));
      assertMatch(await client.until("\r\n\r\nok"), /\r\nConnection: keep-alive\r\n/i);
      if (turn === 0) await client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    }
  });
});

Deno.test.each([
  "GET /1 HTTP/1.1\r\nHost: a\r\n\r\n",
  "POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc",
  "POST /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
])("HttpProxy answers a client that has closed its sending side: %j", async (request) => {
  await between(async ({ client, service, traced }) => {
    await client.send(request);
    await client.shutdown();
    const peer = await service.accept();
    // The service sees the same: a whole request, and that nothing follows.
    const { text } = await peer.toEnd();
    assertStringIncludes(text, request.split("\r\n", 1)[0] ?? "");
    await peer.send(OK);
    assertEquals(await client.toEnd(), { text: OK, isReset: false });
    const [event] = await traced.events(1);
    assertEquals([event?.status, event?.is_aborted, event?.reason], [200, false, null]);
  });
});
