import { join } from "@std/path";
import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import { PatientWriter } from "../../trace/patient_writer.ts";
import { CAN_MOUNT, tinyFilesystem } from "../support/tiny_filesystem.ts";
import { waitFor } from "../support/wait_for.ts";

function lineOf(number: number): object {
  return { number, filler: "x".repeat(1000) };
}

Deno.test({
  name:
    "PatientWriter keeps what a full disk does not take, and writes it in order when there is room",
  ignore: !CAN_MOUNT,
  async fn(): Promise<void> {
    await using disk = await tinyFilesystem({ bytes: 32 * 1024 });
    const path = join(disk.path, "a.jsonl");
    const said: string[] = [];
    using writer = PatientWriter.open(path, { report: (line) => said.push(line) });
    for (let number = 0; number < 50; number++) writer.append([lineOf(number)]);
    assertEquals(said.length, 1);
    assertMatch(said[0] ?? "", /^waiting for room on the disk: .*No space left/);
    await disk.free();
    await waitFor({ what: "the second message", read: () => said.length, until: (n) => n === 2 });
    writer.append([lineOf(50)]);
    const numbers = (await Deno.readTextFile(path)).trimEnd().split("\n")
      .map((line) => JSON.parse(line).number);
    assertEquals(numbers, Array.from({ length: 51 }, (_, number) => number));
  },
});

Deno.test({
  name: "PatientWriter says at its end what is lost",
  ignore: !CAN_MOUNT,
  async fn(): Promise<void> {
    await using disk = await tinyFilesystem({ bytes: 16 * 1024 });
    const options = { report: () => {}, limitBytes: 5000 };
    const writer = PatientWriter.open(join(disk.path, "a.jsonl"), options);
    for (let number = 0; number < 50; number++) writer.append([lineOf(number)]);
    assertThrows(() => writer[Symbol.dispose](), Error, "bytes of lines are lost");
  },
});

Deno.test("PatientWriter throws at once what is not a full disk", async () => {
  const path = await Deno.makeTempFile();
  const writer = PatientWriter.open(path, { report: () => {} });
  writer[Symbol.dispose]();
  assertThrows(() => writer.append([lineOf(1)]), Error);
  await Deno.remove(path);
});
