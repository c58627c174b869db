/**
 * `/proc/cpuinfo`, proc_cpuinfo(5): its keys differ between architectures.
 *
 * @module
 */

/** What `/proc/cpuinfo` says of the machine. */
export interface CpuInfo {
  /** Logical cores that are online; 0 where the file does not list them (s390). */
  readonly coreCount: number;
  /** Model of the CPU: `model name` on x86, `Model` or `cpu` elsewhere; null on plain arm64. */
  readonly model: string | null;
  /** Highest of the present frequencies, MHz; null where the file has none (arm64). */
  readonly frequencyMhz: number | null;
}

/** The content of `/proc/cpuinfo`. */
export function parseCpuInfo(text: string): CpuInfo {
  const frequencies = valuesOf(text, "cpu MHz").map(Number).filter((mhz) => mhz > 0);
  const [model] = ["model name", "Model", "cpu model", "cpu"].flatMap((key) => valuesOf(text, key));
  return {
    coreCount: valuesOf(text, "processor").filter((value) => /^\d+$/.test(value)).length,
    model: model ?? null,
    frequencyMhz: frequencies.length === 0 ? null : Math.max(...frequencies),
  };
}

function valuesOf(text: string, key: string): string[] {
  const values: string[] = [];
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    if (colon < 0 || line.slice(0, colon).trimEnd() !== key) continue;
    const value = line.slice(colon + 1).trim();
    if (value !== "") values.push(value);
  }
  return values;
}
