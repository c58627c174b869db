/**
 * Files that hold one record as JSON.
 *
 * @module
 */

import { quote } from "./schema.ts";
import { readInputText } from "./input_file.ts";

/**
 * The record in `path`, or null when there is no such file.
 *
 * @throws {SyntaxError} naming the file when it is not JSON.
 * @throws {DecodeError} naming file and field when it is not such a record.
 */
export async function readRecordFile<T>(
  path: string,
  decode: (value: unknown, where: string) => T,
): Promise<T | null> {
  let text: string;
  try {
    text = await readInputText(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new SyntaxError(`Cannot read "${path}": JSON is required, got ${quote(text)}`, {
      cause: error,
    });
  }
  return decode(value, path);
}
