/** Where these names were before; goes away. */

import { resolve } from "@std/path";

export * from "./_redis_flags.ts";
export * from "./_run_flags.ts";
export { asUsage } from "../_command.ts";

export function absolute(path: string): string {
  return resolve(path);
}
