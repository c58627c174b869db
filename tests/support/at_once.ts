/** Steps of a test that mostly wait: together they take as long as the longest. */

/** Run `steps` at the same time, each reported by its name. */
export async function atOnce(
  t: Deno.TestContext,
  steps: Readonly<Record<string, () => Promise<void>>>,
): Promise<void> {
  // Sanitizers count what a whole process has open, which says nothing of one of several steps.
  const sanitize = { sanitizeOps: false, sanitizeResources: false, sanitizeExit: false };
  await Promise.all(
    Object.entries(steps).map(([name, fn]) => t.step({ name, fn, ...sanitize })),
  );
}
