/**
 * The rows of `samples` straight into columns: no object and no string per row.
 *
 * @module
 */

import type { RowTail } from "../opendc/row_line.ts";
import {
  BatchBuilder,
  type DoubleValues,
  type IntegerValues,
  SAMPLE_BATCH_ROWS,
  type TableBatch,
  type TextValues,
} from "./column_values.ts";
import { SAMPLES } from "./node_tables.ts";
import { type SampleCursor } from "./samples.ts";

/** Fills batches of `samples`. */
export class SampleBatches {
  readonly #builder = new BatchBuilder(SAMPLES, SAMPLE_BATCH_ROWS);
  readonly #node = this.#text("node");
  readonly #taskId = this.#text("task_id");
  readonly #attempt = this.#integer("attempt");
  readonly #tsMs = this.#integer("ts_ms");
  readonly #pid = this.#integer("pid");
  readonly #dtMs = this.#double("dt_ms");
  readonly #cpuMs = this.#double("cpu_ms");
  readonly #rssKb = this.#integer("rss_kb");
  readonly #traceId = this.#text("trace_id");
  readonly #spanId = this.#text("span_id");
  readonly #source = this.#text("source");

  /** Add the row that the cursor is on. */
  add({ line, node, invocation }: SampleCursor): void {
    const row = this.#builder.length++;
    const tail: RowTail = line.tail;
    this.#node.set(row, node);
    this.#taskId.set(row, invocation === null ? null : invocation.task_id);
    this.#attempt.set(row, invocation === null ? null : invocation.attempt);
    this.#tsMs.set(row, line.tsMs);
    this.#pid.set(row, line.pid === 0 ? null : line.pid);
    this.#dtMs.set(row, line.dtMs);
    this.#cpuMs.set(row, line.cpuMs);
    this.#rssKb.set(row, line.rssKb < 0 ? null : line.rssKb);
    this.#traceId.set(row, tail.traceId);
    this.#spanId.set(row, tail.spanId);
    this.#source.set(row, tail.source);
  }

  /** True when the batch is to be taken. */
  get isFull(): boolean {
    return this.#builder.isFull;
  }

  /** True when the batch has rows. */
  get hasRows(): boolean {
    return this.#builder.length > 0;
  }

  /** The batch; valid until {@linkcode clear}. */
  take(): TableBatch {
    return this.#builder.take();
  }

  /** Begin the next batch. */
  clear(): void {
    this.#builder.clear();
  }

  #text(name: keyof typeof SAMPLES.columns): TextValues {
    return this.#builder.columns.get(name) as TextValues;
  }

  #integer(name: keyof typeof SAMPLES.columns): IntegerValues {
    return this.#builder.columns.get(name) as IntegerValues;
  }

  #double(name: keyof typeof SAMPLES.columns): DoubleValues {
    return this.#builder.columns.get(name) as DoubleValues;
  }
}
