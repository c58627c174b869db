import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { ResultsDrain } from "../../scheduler/results_drain.ts";
import { CAN_MOUNT, tinyFilesystem } from "../support/tiny_filesystem.ts";

Deno.test({
  name: "ResultsDrain on a full disk: the queue keeps the results, and they are written once",
  ignore: !CAN_MOUNT,
  async fn(): Promise<void> {
    await using disk = await tinyFilesystem({ bytes: 16 * 1024 });
    const path = join(disk.path, "results.jsonl");
    const all = Array.from(
      { length: 150 },
      (_, at) =>
        JSON.stringify({
          task_id: `t${at}`,
          attempt: 1,
          state: "done",
          ts_finish: at,
          filler: "x".repeat(60),
        }),
    );
    let kept = all.slice(0, 50);
    using drain = ResultsDrain.open(path, {
      results: (count) => Promise.resolve(kept.slice(0, count)),
      trimResults: (written) => {
        kept = kept.slice(written.length);
        return Promise.resolve(true);
      },
    });
    assertEquals(await drain.drain(), 50);
    kept = all.slice(50);
    await assertRejects(() => drain.drain(), Error, `Cannot append to "${path}"`);
    assertEquals(kept.length, 100);
    await disk.free();
    assertEquals(await drain.drain(), 100);
    assertEquals((await Deno.readTextFile(path)).split("\n"), [...all, ""]);
  },
});
