/**
 * Every format that can be imported.
 *
 * @module
 */

import type { Importer } from "./contract.ts";
import { AZURE } from "./format/azure.ts";
import { BITBRAINS } from "./format/bitbrains.ts";
import { GNU_PARALLEL } from "./format/gnu_parallel.ts";
import { GOOGLE2019 } from "./format/google2019.ts";
import { HYPERQUEUE } from "./format/hyperqueue.ts";
import { NEXTFLOW } from "./format/nextflow.ts";
import { OPENDC } from "./format/opendc.ts";
import { PROMETHEUS } from "./format/prometheus.ts";
import { SLURM } from "./format/slurm.ts";
import { SNAKEMAKE } from "./format/snakemake.ts";
import { SWF } from "./format/swf.ts";
import { SYSSTAT } from "./format/sysstat.ts";
import { WFFORMAT } from "./format/wfformat.ts";

/** The formats: accounts of schedulers, archives, monitoring. */
export const IMPORTERS: readonly Importer[] = [
  SLURM,
  NEXTFLOW,
  SNAKEMAKE,
  GNU_PARALLEL,
  HYPERQUEUE,
  SWF,
  WFFORMAT,
  GOOGLE2019,
  AZURE,
  BITBRAINS,
  OPENDC,
  PROMETHEUS,
  SYSSTAT,
];
