/**
 * What an importer is: it reads the files of another system and tells a sink of invocations, nodes and
 * readings. What the source does not say is null; nothing is invented.
 *
 * @module
 */

import type { ImportFormat } from "./format_names.ts";

/** One execution as the source has it. */
export interface ImportedInvocation {
  /** Name in the source, the same for all attempts of one task. */
  readonly id: string;
  /** Attempt, from 1; null: the source does not count attempts. */
  readonly attempt?: number | null;
  /** Host; null: the source names none. */
  readonly node: string | null;
  /** Kind of work: process, rule, partition or queue. */
  readonly profile: string | null;
  /** Entered the queue, epoch ms. */
  readonly submitMs: number | null;
  /** Started, epoch ms. */
  readonly startMs: number | null;
  /** Ended, epoch ms. */
  readonly endMs: number | null;
  /** What became of it. */
  readonly state: "done" | "failed" | "cancelled" | "running";
  /** Exit code. */
  readonly status: number | null;
  /** Cores reserved. */
  readonly cores: number | null;
  /** CPU time, ms. */
  readonly cpuMs: number | null;
  /** Peak resident memory, kB. */
  readonly memoryKb: number | null;
  /** Names of the tasks that had to end before this one started; null: not known. */
  readonly parents?: readonly string[] | null;
}

/** One host as the source describes it. */
export interface ImportedNode {
  /** Host name. */
  readonly node: string;
  /** Logical cores. */
  readonly cores: number | null;
  /** Frequency of a core, MHz. */
  readonly freqMhz: number | null;
  /** Memory, kB. */
  readonly memoryKb: number | null;
  /** Model of the CPU. */
  readonly cpuModel?: string | null;
}

/** What one invocation used in one interval. */
export interface ImportedSample {
  /** Name of the invocation in the source. */
  readonly id: string;
  /** End of the interval, epoch ms. */
  readonly tsMs: number;
  /** Length of the interval, ms. */
  readonly dtMs: number;
  /** CPU time used in it, ms. */
  readonly cpuMs: number;
  /** Resident memory at its end, kB. */
  readonly memoryKb: number | null;
}

/** Takes what an importer reads. Calls are cheap; {@linkcode ready} waits for the disk. */
export interface ImportSink {
  /** An execution. */
  invocation(one: ImportedInvocation): void;
  /** A host; what was told of it earlier and is null here is kept. */
  node(one: ImportedNode): void;
  /** A reading. */
  sample(one: ImportedSample): void;
  /** A line or entry that does not have the format's shape: counted, with examples. */
  bad(where: string, reason: string): void;
  /** Entries left out for this reason: counted. */
  leftOut(reason: string): void;
  /** A choice or limit of this import that its reader must know; told once. */
  note(text: string): void;
  /** Columns or fields of the source that have no counterpart in a run. */
  unused(names: readonly string[]): void;
  /** Wait until what was told is written; called after each block of input. */
  ready(): Promise<void>;
}

/** What the user said of the source. */
export interface ImportSettings {
  /** Offset of the source's local times from UTC, ms. */
  readonly utcOffsetMs: number;
  /** Cores that a CPU value of 1 stands for, where the source normalises; null: not given. */
  readonly cpuScale: number | null;
}

/** One file of the source. */
export interface SourceFile {
  /** Path of the file. */
  readonly path: string;
  /** File name without folders. */
  readonly name: string;
  /** Its first 8 kB as text: enough to recognise the format. */
  readonly head: string;
  /** Time of its last change, epoch ms; null: the file system has none. */
  readonly modifiedMs: number | null;
}

/** One format. */
export interface Importer {
  /** Name, as `--from` takes it. */
  readonly name: ImportFormat;
  /** What it reads, a few words. */
  readonly title: string;
  /** Where the format is described. */
  readonly source: string;
  /** What the format can say of each field of an invocation, and how; fields that are missing are null. */
  readonly says: Readonly<Partial<Record<FormatField, string>>>;
  /** True when `file` has this format. */
  readonly recognises: (file: SourceFile) => boolean;
  /**
   * Read `files`, all of this format and in the order given.
   *
   * @throws {ImportError} when a file as a whole is not what the format asks for.
   */
  readonly read: (
    files: readonly SourceFile[],
    sink: ImportSink,
    settings: ImportSettings,
  ) => Promise<void>;
}

/** What a format may say: the columns of the importers' table in the documents. */
export const FORMAT_FIELDS = [
  "submit",
  "start",
  "end",
  "state",
  "node",
  "cores",
  "cpu",
  "memory",
  "series",
  "parents",
  "hosts",
] as const;

/** One of {@linkcode FORMAT_FIELDS}. */
export type FormatField = typeof FORMAT_FIELDS[number];

/** A file that cannot be imported, with what was expected. */
export class ImportError extends Error {
  /** Name of the class. */
  override readonly name = "ImportError";
}
