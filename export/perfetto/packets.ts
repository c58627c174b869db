/**
 * Packets of a Perfetto trace (TrackEvent): what is written of the messages in
 * `protos/perfetto/trace/trace_packet.proto` and `trace/track_event/*.proto`, with their field numbers.
 *
 * @module
 */

import { PbfWriter } from "pbf";

/** Value of an argument of a slice. */
export type Argument = string | number;

/** Arguments of a slice by name; null ones are left out. */
export type Arguments = Readonly<Record<string, Argument | null>>;

/** An event on a track. */
export interface TrackEvent {
  readonly type: "begin" | "end" | "instant" | "counter";
  /** Time, ms since the trace's zero. */
  readonly atMs: number;
  readonly track: number;
  readonly name?: string;
  /** Value of a counter. */
  readonly value?: number;
  /** Flow that passes here. */
  readonly flow?: number;
  /** Flow that ends here. */
  readonly lastFlow?: number;
  readonly args?: Arguments;
}

/** A track: of a process, or below one; of a counter where it has a unit. */
export interface Track {
  readonly uuid: number;
  readonly name: string;
  /** The process that it is of; null: it belongs to its parent. */
  readonly pid: number | null;
  /** Track above it; null: none. */
  readonly parent: number | null;
  /** Unit of a counter; null: it has slices. */
  readonly unit: string | null;
}

const TYPES = { begin: 1, end: 2, instant: 3, counter: 4 } as const;

/** All packets are of one sequence, as if one thread had written them. */
const SEQUENCE = 1;

/** Bytes from which a piece is handed on. */
const PIECE_BYTES = 1 << 18;

/** Writes packets into pieces. A trace is its packets one after the other: pieces can be joined. */
export class PacketWriter {
  #pbf = new PbfWriter();

  /** Declare a track. */
  track(track: Track): void {
    this.#pbf.writeMessage(1, writeTrackPacket, track);
  }

  /** Write an event. */
  event(event: TrackEvent): void {
    this.#pbf.writeMessage(1, writeEventPacket, event);
  }

  /** What was written since the last piece, when it is large enough or all of it is asked for. */
  piece({ isLast = false } = {}): Uint8Array | null {
    if (this.#pbf.pos === 0 || (!isLast && this.#pbf.pos < PIECE_BYTES)) return null;
    const bytes = this.#pbf.finish();
    this.#pbf = new PbfWriter();
    return bytes;
  }
}

function writeTrackPacket(track: Track, pbf: PbfWriter): void {
  pbf.writeVarintField(10, SEQUENCE);
  pbf.writeMessage(60, writeTrack, track);
}

function writeTrack({ uuid, name, pid, parent, unit }: Track, pbf: PbfWriter): void {
  pbf.writeVarintField(1, uuid);
  pbf.writeStringField(2, name);
  if (pid !== null) pbf.writeMessage(3, writeProcess, { pid, name });
  if (parent !== null) pbf.writeVarintField(5, parent);
  if (unit !== null) pbf.writeMessage(8, writeCounter, unit);
}

function writeProcess(
  { pid, name }: { readonly pid: number; readonly name: string },
  pbf: PbfWriter,
): void {
  pbf.writeVarintField(1, pid);
  pbf.writeStringField(6, name);
}

function writeCounter(unit: string, pbf: PbfWriter): void {
  pbf.writeStringField(6, unit);
}

function writeEventPacket(event: TrackEvent, pbf: PbfWriter): void {
  // Timestamps are ns; a number has room for 104 days of them.
  pbf.writeVarintField(8, Math.max(0, Math.round(event.atMs * 1e6)));
  pbf.writeVarintField(10, SEQUENCE);
  pbf.writeMessage(11, writeEvent, event);
}

function writeEvent(event: TrackEvent, pbf: PbfWriter): void {
  const { type, track, name, value, flow, lastFlow, args = {} } = event;
  for (const [key, argument] of Object.entries(args)) {
    if (argument !== null) pbf.writeMessage(4, writeArgument, { key, argument });
  }
  pbf.writeVarintField(9, TYPES[type]);
  pbf.writeVarintField(11, track);
  if (name !== undefined) pbf.writeStringField(23, name);
  if (value !== undefined) pbf.writeDoubleField(44, value);
  if (flow !== undefined) pbf.writeFixed64Field(47, flow);
  if (lastFlow !== undefined) pbf.writeFixed64Field(48, lastFlow);
}

function writeArgument(
  { key, argument }: { readonly key: string; readonly argument: Argument },
  pbf: PbfWriter,
): void {
  pbf.writeStringField(10, key);
  if (typeof argument === "string") pbf.writeStringField(6, argument);
  else if (Number.isInteger(argument)) pbf.writeVarintField(4, argument);
  else pbf.writeDoubleField(5, argument);
}
