import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { MessageWriter, readMessages } from "../../adapter/message_stream.ts";

function streamOf(
  chunks: readonly Uint8Array<ArrayBuffer>[],
): ReadableStream<Uint8Array<ArrayBuffer>> {
  return ReadableStream.from(chunks);
}

Deno.test("readMessages() gives the same messages however the bytes are cut", async () => {
  const message = fc.record({ text: fc.string({ unit: "grapheme" }), number: fc.integer() });
  await fc.assert(fc.asyncProperty(
    fc.array(message),
    fc.array(fc.integer({ min: 1, max: 9 })),
    async (messages, cuts) => {
      const text = messages.map((one) => `${JSON.stringify(one)}\n`).join("");
      let rest = new TextEncoder().encode(text);
      const chunks = cuts.map((size) => {
        const chunk = rest.slice(0, size);
        rest = rest.slice(size);
        return chunk;
      });
      const read = await Array.fromAsync(readMessages(streamOf([...chunks, rest])));
      assertEquals(read, messages);
    },
  ));
});

Deno.test("readMessages() drops a last line that was cut off", async () => {
  const bytes = new TextEncoder().encode('{"a":1}\n{"b":');
  assertEquals(await Array.fromAsync(readMessages(streamOf([bytes]))), [{ a: 1 }]);
});

Deno.test("readMessages() refuses what is not JSON", async () => {
  const bytes = new TextEncoder().encode("hello\n");
  await assertRejects(() => Array.fromAsync(readMessages(streamOf([bytes]))), SyntaxError);
});

Deno.test("MessageWriter keeps the order and closes after the last message", async () => {
  const { readable, writable } = new TransformStream<Uint8Array<ArrayBuffer>>();
  const writer = new MessageWriter(writable, (error) => {
    throw error;
  });
  const read = Array.fromAsync(readMessages(readable));
  for (let number = 0; number < 100; number++) writer.send({ number });
  await writer.close();
  assertEquals(await read, Array.from({ length: 100 }, (_, number) => ({ number })));
});

Deno.test("MessageWriter tells once that nobody reads any more, and then drops messages", async () => {
  const broken: string[] = [];
  const writable = new WritableStream<Uint8Array<ArrayBuffer>>({
    write: () => Promise.reject(new Deno.errors.BrokenPipe("nobody reads")),
  });
  const writer = new MessageWriter(writable, ({ message }) => broken.push(message));
  for (let number = 0; number < 3; number++) {
    writer.send({ number });
    await new Promise((resolve) => setTimeout(resolve));
  }
  await writer.close();
  assertEquals(broken, ["nobody reads"]);
});
