/** Says what this machine offers, and what each missing thing costs. */

import type { Parsed } from "./command/parse.ts";
import { examine, type Finding } from "./machine/checks.ts";
import { type Io, runMain } from "./command/main.ts";
import { redisAddress } from "./redis/address.ts";
import { DOCTOR } from "./flags/doctor.ts";

/** Print the findings; returns 1 when no node can work here. */
export async function main({ options }: Parsed<typeof DOCTOR.flags>, io: Io): Promise<number> {
  const address = await redisAddress({ ...options, "key-prefix": "" });
  const findings = await examine(address);
  if (options.json) io.print(JSON.stringify(findings));
  else for (const line of findingLines(findings)) io.print(line);
  return findings.some(({ state }) => state === "blocking") ? 1 : 0;
}

/** The findings for a person: what is missing is followed by what it costs. */
export function findingLines(findings: readonly Finding[]): string[] {
  const width = Math.max(...findings.map(({ subject }) => subject.length));
  return findings.flatMap(({ subject, state, found, cost }) => {
    const mark = state === "ok" ? "ok      " : "missing ";
    const line = `${mark}${subject.padEnd(width)}  ${found}`;
    return cost === null ? [line] : [line, `${" ".repeat(width + 10)}→ ${cost}`];
  });
}

if (import.meta.main) await runMain(DOCTOR, main);
