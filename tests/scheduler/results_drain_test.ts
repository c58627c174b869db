import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import { ResultsDrain, type ResultSource } from "../../scheduler/results_drain.ts";
import { tempFolder } from "../support/temp_folder.ts";

function result(taskId: string, attempt = 1, state = "done"): string {
  return JSON.stringify({ task_id: taskId, attempt, state, ts_finish: 1 });
}

/** Results that are in the queue; `isActive` says whether they may be forgotten. */
class Source implements ResultSource {
  lines: string[];
  isActive = true;

  constructor(...lines: readonly string[]) {
    this.lines = [...lines];
  }

  results(count: number): Promise<readonly string[]> {
    return Promise.resolve(this.lines.slice(0, count));
  }

  trimResults(written: readonly string[]): Promise<boolean> {
    if (this.isActive) this.lines = this.lines.slice(written.length);
    return Promise.resolve(this.isActive);
  }
}

async function idsIn(path: string): Promise<string[]> {
  const lines = (await Deno.readTextFile(path)).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line).task_id);
}

Deno.test("ResultsDrain writes what is new and lets the queue forget it", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "results.jsonl");
  const source = new Source(result("a"), result("b"));
  using drain = ResultsDrain.open(path, source);
  assertEquals(await drain.drain(), 2);
  assertEquals([await idsIn(path), source.lines], [["a", "b"], []]);
  source.lines = [result("c")];
  assertEquals(await drain.drain(), 1);
  assertEquals(await idsIn(path), ["a", "b", "c"]);
});

Deno.test("ResultsDrain writes nothing twice that comes again", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "results.jsonl");
  const source = new Source(result("a"), result("b"));
  using drain = ResultsDrain.open(path, source);
  await drain.drain();
  // Redis rolled back; another attempt of a task is another result.
  source.lines = [result("b"), result("b", 2), result("c")];
  assertEquals(await drain.drain(), 2);
  assertEquals(await idsIn(path), ["a", "b", "b", "c"]);
});

Deno.test("ResultsDrain learns from the file what a dead scheduler had written", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "results.jsonl");
  const source = new Source(result("a"), result("b"));
  // It died after the write and before the queue was told; its last line is torn.
  await Deno.writeTextFile(path, result("a") + "\n" + result("b").slice(0, 20));
  using drain = ResultsDrain.open(path, source);
  assertEquals(await drain.drain(), 1);
  const lines = (await Deno.readTextFile(path)).split("\n");
  assertEquals(lines, [result("a"), result("b").slice(0, 20), result("b"), ""]);
});

Deno.test("ResultsDrain of a scheduler that is not active leaves the queue alone", async () => {
  await using folder = await tempFolder();
  const source = new Source(result("a"));
  source.isActive = false;
  using drain = ResultsDrain.open(join(folder.path, "results.jsonl"), source);
  await drain.drain();
  assertEquals(source.lines.length, 1);
});

Deno.test("ResultsDrain keeps for a person what is not a result", async () => {
  await using folder = await tempFolder();
  const path = join(folder.path, "results.jsonl");
  const source = new Source("torn", result("a"));
  using drain = ResultsDrain.open(path, source);
  assertEquals(await drain.drain(), 2);
  assertEquals(await Deno.readTextFile(path), `torn\n${result("a")}\n`);
});
