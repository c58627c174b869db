/** Runs the demo in a folder of its own and keeps what it prints, with times. */

import { fromFileUrl } from "@std/path";
import { CommandError } from "../command/main.ts";
import type { RecordedLine } from "./recording.ts";

/**
 * What `deno task demo` prints, both streams in the order of their times; paths of the temporary folder
 * are shown as `~`.
 *
 * @throws {CommandError} when the demo fails.
 */
export async function recordDemo(): Promise<RecordedLine[]> {
  const folder = await Deno.makeTempDir({ prefix: "tracekit-recording-" });
  try {
    const child = new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "-q", fromFileUrl(new URL("../demo.ts", import.meta.url))],
      cwd: folder,
      env: { NO_COLOR: "1", INIT_CWD: folder },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const startMs = performance.now();
    const lines: RecordedLine[] = [];
    const keep = (text: string) =>
      lines.push({ atMs: performance.now() - startMs, text: text.replaceAll(folder, "~") });
    await Promise.all([child.stdout, child.stderr].map((stream) => readLines(stream, keep)));
    const { code } = await child.status;
    if (code !== 0) throw new CommandError(`the demo failed: ${lines.at(-1)?.text}`);
    return lines;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function readLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  keep: (line: string) => void,
): Promise<void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    parts.forEach(keep);
  }
  if (rest !== "") keep(rest);
}
