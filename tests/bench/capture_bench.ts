/**
 * Whether any job escapes the record where 50 run at once, fork and end all the time beside 200 that
 * stay: the laws of tests/e2e/capture_test.ts at ten times its size, which on a slow machine takes both
 * cores for minutes. `deno task bench capture [JOBS]`; exit code 1 when a law does not hold.
 */

import { checkCapture } from "../support/capture.ts";

if (import.meta.main) {
  const shortJobs = Number(Deno.args[0] ?? 1000);
  const findings = await checkCapture({ shortJobs, atOnce: 50, longLived: 200 });
  for (const [what, problems] of Object.entries(findings)) {
    console.log(`${problems.length === 0 ? "holds" : "FAILS"}  ${what}`);
    for (const problem of problems.slice(0, 10)) console.log(`       ${problem}`);
  }
  if (Object.values(findings).some((problems) => problems.length > 0)) Deno.exit(1);
}
