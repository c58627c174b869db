/**
 * `/proc/meminfo`, proc_meminfo(5).
 *
 * @module
 */

/**
 * The lines of `/proc/meminfo` by name, in kB (those without a unit are counts). A line of another form is
 * skipped: kernels before 2.6 had a table above these.
 */
export function parseMeminfo(text: string): ReadonlyMap<string, number> {
  const values = new Map<string, number>();
  for (const line of text.split("\n")) {
    const [, name, value] = /^([^:]+):\s*(\d{1,15})(?: kB)?$/.exec(line) ?? [];
    if (name !== undefined) values.set(name, Number(value));
  }
  return values;
}
