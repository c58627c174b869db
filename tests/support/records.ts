/** Files of records, as tests read them. */

import { type BadLine, readRecords } from "../../trace/json_lines.ts";

/**
 * All records in `path`. Its last line may be on its way.
 *
 * @throws {Error} at any other line that is not a record.
 */
export async function recordsIn<T>(
  path: string,
  decode: (value: unknown, where: string) => T,
): Promise<T[]> {
  const onBadLine = ({ isTorn, line, reason }: BadLine) => {
    if (!isTorn) throw new Error(`${path}:${line}: ${reason}`);
  };
  return await Array.fromAsync(readRecords(path, { decode, onBadLine }));
}
