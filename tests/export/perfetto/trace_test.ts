import { assert, assertEquals } from "@std/assert";
import protobuf from "protobufjs";
import { perfettoTrace } from "../../../export/perfetto/trace.ts";
import { packTables, unpackTables } from "../../../export/report/columns.ts";
import { readRunAt } from "../../../export/report/run_columns.ts";
import { knownRun } from "../../support/report_run.ts";

/** The messages in use, as Perfetto publishes them: names, numbers and types of their fields. */
const SCHEMA = `
syntax = "proto2";
message Trace { repeated TracePacket packet = 1; }
message TracePacket {
  optional uint64 timestamp = 8;
  optional uint32 trusted_packet_sequence_id = 10;
  optional TrackEvent track_event = 11;
  optional TrackDescriptor track_descriptor = 60;
}
message TrackDescriptor {
  optional uint64 uuid = 1;
  optional string name = 2;
  optional ProcessDescriptor process = 3;
  optional uint64 parent_uuid = 5;
  optional CounterDescriptor counter = 8;
}
message ProcessDescriptor { optional int32 pid = 1; optional string process_name = 6; }
message CounterDescriptor { optional string unit_name = 6; }
message TrackEvent {
  enum Type {
    TYPE_UNSPECIFIED = 0;
    TYPE_SLICE_BEGIN = 1;
    TYPE_SLICE_END = 2;
    TYPE_INSTANT = 3;
    TYPE_COUNTER = 4;
  }
  repeated DebugAnnotation debug_annotations = 4;
  optional Type type = 9;
  optional uint64 track_uuid = 11;
  optional string name = 23;
  optional double double_counter_value = 44;
  repeated fixed64 flow_ids = 47;
  repeated fixed64 terminating_flow_ids = 48;
}
message DebugAnnotation {
  optional string name = 10;
  optional int64 int_value = 4;
  optional double double_value = 5;
  optional string string_value = 6;
}`;

interface Packet {
  readonly timestamp?: number;
  readonly trackEvent?: {
    readonly type: string;
    readonly trackUuid: number;
    readonly name?: string;
    readonly doubleCounterValue?: number;
    readonly flowIds?: readonly number[];
    readonly terminatingFlowIds?: readonly number[];
    readonly debugAnnotations?: readonly Readonly<Record<string, string | number>>[];
  };
  readonly trackDescriptor?: {
    readonly uuid: number;
    readonly name: string;
    readonly parentUuid?: number;
    readonly process?: { readonly pid: number };
    readonly counter?: { readonly unitName: string };
  };
}

function knownTrace(): Packet[] {
  const { head, tables } = knownRun();
  const run = readRunAt(unpackTables(packTables({ runs: [head] }, tables)), 0);
  const bytes = new Uint8Array([...perfettoTrace(run)].flatMap((piece) => [...piece]));
  const type = protobuf.parse(SCHEMA).root.lookupType("Trace");
  const trace = type.toObject(type.decode(bytes), { longs: Number, enums: String });
  return (trace as { packet: Packet[] }).packet;
}

Deno.test("perfettoTrace() is read by another implementation: tracks, slices, arguments", () => {
  const packets = knownTrace();
  const tracks = packets.flatMap(({ trackDescriptor }) => trackDescriptor ?? []);
  const processes = tracks.filter(({ process }) => process !== undefined);
  assertEquals(processes.map(({ name, process }) => [name, process?.pid]), [
    ["queue", 1],
    ["node1", 2],
    ["node2", 3],
  ]);
  assertEquals(new Set(tracks.map(({ uuid }) => uuid)).size, tracks.length);
  for (const { parentUuid, process } of tracks) {
    assert(process !== undefined || processes.some(({ uuid }) => uuid === parentUuid));
  }
  const counters = tracks.filter(({ counter }) => counter !== undefined);
  assertEquals(counters.map(({ name }) => name), [
    "waiting tasks",
    "cores in use",
    "memory in use",
    "cores in use",
    "memory in use",
  ]);
  const failed = packets.find(({ trackEvent }) =>
    trackEvent?.debugAnnotations?.some(({ stringValue }) => stringValue === "task-07")
  );
  const args = failed?.trackEvent?.debugAnnotations?.map((one) => [
    one.name,
    one.stringValue ?? one.intValue ?? one.doubleValue,
  ]);
  assertEquals(Object.fromEntries(args ?? []), {
    task: "task-07",
    attempt: 1,
    state: "failed",
    exit_code: 3,
    reserved_vcpus: 1,
    cpu_ms: 500,
    cpu_source: "rusage",
    max_rss_kb: 1024,
  });
  assertEquals([failed?.timestamp, failed?.trackEvent?.name], [1e9, "odd"]);
});

Deno.test("perfettoTrace() nests slices validly, and each flow has a source and one end", () => {
  const packets = knownTrace();
  const open = new Map<number, number>();
  const last = new Map<number, number>();
  const sources = new Map<number, number>();
  const ends: number[] = [];
  for (const { timestamp = 0, trackEvent } of packets) {
    if (trackEvent === undefined) continue;
    const { type, trackUuid } = trackEvent;
    assert(timestamp >= (last.get(trackUuid) ?? 0), "events of a track are in order");
    last.set(trackUuid, timestamp);
    const depth = open.get(trackUuid) ?? 0;
    if (type === "TYPE_SLICE_BEGIN") open.set(trackUuid, depth + 1);
    if (type === "TYPE_SLICE_END") open.set(trackUuid, depth - 1);
    assert((open.get(trackUuid) ?? 0) >= 0 && (open.get(trackUuid) ?? 0) <= 2);
    for (const flow of trackEvent.flowIds ?? []) sources.set(flow, (sources.get(flow) ?? 0) + 1);
    ends.push(...trackEvent.terminatingFlowIds ?? []);
  }
  assertEquals([...open.values()].filter((depth) => depth !== 0), []);
  assertEquals(ends.toSorted((a, b) => a - b), Array.from({ length: 40 }, (_, at) => at + 1));
  // Submitted and placed.
  assertEquals([...sources.values()].filter((count) => count !== 2), []);
});
