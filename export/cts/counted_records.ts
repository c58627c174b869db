/**
 * Records of one file with a count of the lines that are none.
 *
 * @module
 */

import { DecodeError } from "../../trace/schema.ts";
import { readLines } from "../../trace/json_lines.ts";
import { countBadLine, type LineCounts, noLines } from "./raw_samples.ts";

/**
 * Hand each record of `path` to `take`; lines that are none are counted.
 *
 * @returns the counts; null when there is no such file.
 */
export async function readCounted<T>(
  path: string,
  decode: (value: unknown, where: string) => T,
  take: (record: T) => void,
): Promise<LineCounts | null> {
  const counts = noLines();
  try {
    for await (const { firstLine, lines, isTorn } of readLines(path)) {
      for (const [index, text] of lines.entries()) {
        if (text === "") continue;
        counts.lines++;
        const where = `${path}:${firstLine + index}`;
        let value: T;
        try {
          value = decode(JSON.parse(text), where);
        } catch (error) {
          if (!(error instanceof SyntaxError || error instanceof DecodeError)) throw error;
          countBadLine(counts, { error, where, isTorn: isTorn && index === lines.length - 1 });
          continue;
        }
        take(value);
      }
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    // A line beyond any record's length: what follows cannot be read, and the audit says so.
    if (!(error instanceof SyntaxError)) throw error;
    countBadLine(counts, { error, where: path, isTorn: false });
  }
  return counts;
}
