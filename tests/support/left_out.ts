/** Tests that this machine cannot run: each reason is told, so that nobody takes them for passed. */

/**
 * True when all of `needs` are there. What is not is printed, in the form that `deno task test` collects
 * and repeats at its end. For the `ignore` of a test: `!has({ root: Deno.uid() === 0 })`.
 */
export function has(needs: Readonly<Record<string, boolean>>): boolean {
  const missing = Object.keys(needs).filter((need) => !needs[need]);
  for (const need of missing) leaveOut(`what needs ${need}`);
  return missing.length === 0;
}

/** Tell that something was not tested, and why. */
export function leaveOut(reason: string): void {
  console.log(`left out: ${reason}`);
}
