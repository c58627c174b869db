/**
 * Names of the formats, apart from what reads them: the command line needs only these.
 *
 * @module
 */

/** Names of the formats, as `--from` takes them. */
export const IMPORT_FORMATS = [
  "slurm",
  "nextflow",
  "snakemake",
  "gnu-parallel",
  "hyperqueue",
  "swf",
  "wfformat",
  "google2019",
  "azure",
  "bitbrains",
  "opendc",
  "prometheus",
  "sysstat",
] as const;

/** Name of a format. */
export type ImportFormat = typeof IMPORT_FORMATS[number];
