import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { RawPeer, RawService } from "../../support/raw_peer.ts";
import { traceService } from "../../support/traced_service.ts";
import { waitFor } from "../../support/wait_for.ts";

/** The line of `head` with the header `name`; empty when it has none. */
function lineOf(head: string, name: string): string {
  return head.split("\r\n").find((line) => line.toLowerCase().startsWith(`${name}:`)) ?? "";
}

/** `head` without what the proxy adds to a request: its place in a trace, and that the connection stays. */
function withoutOwn(head: string): string {
  return head.replace(/traceparent: .*\r\n/, "").replace("Connection: keep-alive\r\n", "");
}

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

Deno.test("HttpProxy passes heads on with order, spelling, repetition and bytes of headers", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  const request = "POST /a%20b?q=1&r HTTP/1.1\r\nHOST: example\r\nX-Weird-CASE: Q\r\nx-dup: 1\r\n" +
    "X-DUP: 2\r\nCookie: a=1\r\ncookie: b=2\r\nX-Bytes: \xe9\xc3\xa9\r\nContent-Length: 3\r\n\r\n";
  await client.send(`${request}abc`);
  const peer = await service.accept();
  assertEquals(withoutOwn(await peer.head()), request);
  assertEquals(await peer.take(3), "abc");
  const response = "HTTP/1.1 299 Fine \xe9 Thing\r\nX-Weird-CASE: a\r\nSet-Cookie: a=1\r\n" +
    "set-cookie: b=2\r\nX-Bytes: \xe9\xc3\xa9\r\nLocation: /else where\r\nContent-Length: 2\r\n\r\nok";
  await peer.send(response);
  assertEquals(await client.take(response.length), response);
});

Deno.test("HttpProxy keeps compressed bodies and redirects as they are", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  const stream = new Blob(["text ".repeat(100)]).stream().pipeThrough(
    new CompressionStream("gzip"),
  );
  const body = new Uint8Array(await new Response(stream).arrayBuffer());
  await client.send("GET / HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n");
  const peer = await service.accept();
  assertEquals(lineOf(await peer.head(), "accept-encoding"), "Accept-Encoding: gzip");
  await peer.send(
    `HTTP/1.1 302 Found\r\nLocation: http://elsewhere/\r\nContent-Encoding: gzip\r\n` +
      `Content-Length: ${body.length}\r\n\r\n`,
  );
  await peer.sendBytes(body);
  const head = await client.head();
  assertMatch(
    head,
    /^HTTP\/1\.1 302 Found\r\nLocation: http:\/\/elsewhere\/\r\nContent-Encoding: gzip/,
  );
  assertEquals(Uint8Array.from(await client.take(body.length), (one) => one.charCodeAt(0)), body);
});

Deno.test("HttpProxy passes each piece of a body on before the next one comes, both ways", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(
    "PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n",
  );
  const peer = await service.accept();
  await peer.head();
  assertEquals(await peer.until("first\r\n"), "5\r\nfirst\r\n");
  await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n");
  await client.head();
  assertEquals(await client.until("one\r\n"), "3\r\none\r\n");
  await client.send("6\r\nsecond\r\n0\r\n\r\n");
  assertEquals(await peer.until("0\r\n\r\n"), "6\r\nsecond\r\n0\r\n\r\n");
  await peer.send("3\r\ntwo\r\n0\r\n\r\n");
  assertEquals(await client.until("0\r\n\r\n"), "3\r\ntwo\r\n0\r\n\r\n");
  const [event] = await traced.events(1);
  assertEquals([event?.bytes_in, event?.bytes_out], [11, 6]);
});

Deno.test("HttpProxy passes trailers on, both ways", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(
    "PUT / HTTP/1.1\r\nHost: x\r\nTE: trailers\r\nConnection: TE\r\nTransfer-Encoding: chunked\r\n" +
      "Trailer: X-Sum\r\n\r\n3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n",
  );
  const peer = await service.accept();
  const head = await peer.head();
  assertEquals([lineOf(head, "te"), lineOf(head, "trailer")], ["TE: trailers", "Trailer: X-Sum"]);
  assertEquals(await peer.until("\r\n\r\n"), "3\r\nabc\r\n0\r\nX-Sum: 1\r\n\r\n");
  await peer.send(
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-End\r\n\r\n" +
      "2\r\nok\r\n0\r\nX-End: 2\r\nX-End: 3\r\n\r\n",
  );
  await client.head();
  assertEquals(await client.until("\r\n\r\n"), "2\r\nok\r\n0\r\nX-End: 2\r\nX-End: 3\r\n\r\n");
});

Deno.test("HttpProxy passes 100 Continue and other interim responses on", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(
    "PUT / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n",
  );
  const peer = await service.accept();
  assertEquals(lineOf(await peer.head(), "expect"), "Expect: 100-continue");
  await peer.send("HTTP/1.1 100 Continue\r\n\r\n");
  assertEquals(await client.head(), "HTTP/1.1 100 Continue\r\n\r\n");
  await client.send("abc");
  assertEquals(await peer.take(3), "abc");
  const early = "HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n";
  await peer.send(`${early}${OK}`);
  assertEquals(await client.take(early.length + OK.length), early + OK);
});

const BODILESS = [
  { what: "to HEAD", method: "HEAD", head: "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n" },
  { what: "204", method: "GET", head: "HTTP/1.1 204 No Content\r\nX-A: b\r\n\r\n" },
  {
    what: "304",
    method: "GET",
    head: 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\nETag: "x"\r\n\r\n',
  },
] as const;

Deno.test.each(BODILESS)("HttpProxy passes a response without body on: $what", async (one) => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(`${one.method} / HTTP/1.1\r\nHost: x\r\n\r\n`);
  const peer = await service.accept();
  await peer.head();
  await peer.send(one.head);
  assertEquals(await client.head(), one.head);
  // Nothing came behind it: the next response begins at once.
  await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  await peer.head();
  await peer.send(OK);
  assertEquals(await client.take(OK.length), OK);
});

Deno.test("HttpProxy sends no body where the client sent none", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send("POST /empty HTTP/1.1\r\nHost: x\r\n\r\n");
  const peer = await service.accept();
  const head = await peer.head();
  assertEquals(lineOf(head, "content-length"), "Content-Length: 0");
  assertEquals(lineOf(head, "transfer-encoding"), "");
});

Deno.test("HttpProxy ends headers at this hop that belong to it", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(
    "GET / HTTP/1.1\r\nHost: x\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nX-End: 2\r\n\r\n",
  );
  const peer = await service.accept();
  const head = await peer.head();
  assertEquals(lineOf(head, "x-hop"), "");
  assertEquals(lineOf(head, "x-end"), "X-End: 2");
  assertEquals(lineOf(head, "connection"), "Connection: close");
  await peer.send(
    "HTTP/1.1 200 OK\r\nConnection: X-Back, close\r\nX-Back: 1\r\nContent-Length: 2\r\n\r\nok",
  );
  const { text } = await client.toEnd();
  assertEquals(text, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok");
});

Deno.test("HttpProxy gives a request of HTTP/1.0 the host that HTTP/1.1 asks for", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send("GET / HTTP/1.0\r\n\r\n");
  const peer = await service.accept();
  assertEquals(lineOf(await peer.head(), "host"), `Host: 127.0.0.1:${service.port}`);
  await peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n");
  const { text } = await client.toEnd();
  assertEquals(text.endsWith("\r\n\r\nok"), true, text);
});

Deno.test("HttpProxy keeps one connection to the service for each of a client", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using first = await RawPeer.connect(traced.proxy.port);
  await using second = await RawPeer.connect(traced.proxy.port);
  const peers: RawPeer[] = [];
  for (const [round, client] of [first, second, first, second].entries()) {
    await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    const peer = peers[round % 2] ?? await service.accept();
    peers[round % 2] = peer;
    await peer.head();
    await peer.send(OK);
    await client.take(OK.length);
  }
  assertEquals(service.acceptedCount, 2);
});

Deno.test("HttpProxy sends the requests of a pipeline one after the other", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(
    "POST /one HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /two HTTP/1.1\r\nHost: x\r\n\r\n",
  );
  const peer = await service.accept();
  assertStringIncludes(await peer.head(), "POST /one");
  assertEquals(await peer.take(3), "abc");
  assertEquals(traced.proxy.openCount, 2);
  await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none");
  assertStringIncludes(await peer.head(), "GET /two");
  await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\ntwo");
  assertMatch((await client.until("two")).replaceAll("\r\n", " "), /one.*two$/);
  assertEquals(service.acceptedCount, 1);
});

Deno.test("HttpProxy lets a change of protocol through, and all bytes behind it", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(
    "GET /chat HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nearly",
  );
  const peer = await service.accept();
  const head = await peer.head();
  assertEquals(lineOf(head, "upgrade"), "Upgrade: websocket");
  assertEquals(lineOf(head, "connection"), "Connection: Upgrade");
  const answer =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
  await peer.send(`${answer}\x81\x00hello`);
  assertEquals(await client.take(answer.length + 7), `${answer}\x81\x00hello`);
  assertEquals(await peer.take(5), "early");
  await client.send("\xffping");
  assertEquals(await peer.take(5), "\xffping");
  peer.close();
  await client.toEnd();
  const [event] = await traced.events(1);
  assertEquals([event?.status, event?.bytes_in, event?.bytes_out], [101, 10, 7]);
  assertEquals(event?.is_aborted, false);
});

Deno.test("HttpProxy carries a real WebSocket", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => {
      const { socket, response } = Deno.upgradeWebSocket(request);
      socket.onmessage = ({ data }) => socket.send(`${data} back`);
      return response;
    },
  );
  await using traced = await traceService({ target: server.addr.port });
  const socket = new WebSocket(`ws://127.0.0.1:${traced.proxy.port}/chat`);
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  socket.onopen = () => socket.send("there");
  socket.onmessage = ({ data }) => resolve(data);
  socket.onerror = (event) => reject(new Error(`WebSocket: ${Deno.inspect(event)}`));
  assertEquals(await promise, "there back");
  const closed = new Promise((done) => socket.onclose = done);
  socket.close();
  await closed;
  const [event] = await traced.events(1);
  assertEquals([event?.status, event?.path, event?.is_aborted], [101, "/chat", false]);
});

Deno.test("HttpProxy passes the refusal of a change of protocol on", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n");
  const peer = await service.accept();
  await peer.head();
  await peer.send("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  const { text } = await client.toEnd();
  assertMatch(text, /^HTTP\/1\.1 403 Forbidden\r\n.*no$/s);
});

Deno.test("HttpProxy ignores a wish for another protocol that comes with a body", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send(
    "POST / HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nContent-Length: 3\r\n\r\nabc",
  );
  const peer = await service.accept();
  assertEquals(lineOf(await peer.head(), "upgrade"), "");
  assertEquals(await peer.take(3), "abc");
  await peer.send(OK);
  assertEquals(await client.take(OK.length), OK);
});

Deno.test("HttpProxy holds a service back whose client does not read", async () => {
  await using service = new RawService();
  await using traced = await traceService({ target: service.port });
  await using client = await RawPeer.connect(traced.proxy.port);
  await client.send("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const peer = await service.accept();
  await peer.head();
  // 256 MB: far more than socket buffers (some MB) and the proxy's own hold.
  const total = 256 * 1024 * 1024;
  await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: ${total}\r\n\r\n`);
  let sent = 0;
  const sending = (async () => {
    const piece = new Uint8Array(1024 * 1024);
    for (; sent < total; sent += piece.length) await peer.sendBytes(piece);
  })();
  await client.head();
  let seen = -1;
  await waitFor({
    what: "the service to be held back",
    read: async () => {
      const before = seen;
      seen = sent;
      await new Promise((resolve) => setTimeout(resolve, 200));
      return before === sent;
    },
    until: (isStill) => isStill,
  });
  assertEquals(sent < total / 4, true, `${sent} bytes were taken from the service`);
  await client.skip(total);
  await sending;
});
