/**
 * The models of a calibration, as an export takes them.
 *
 * @module
 */

import { boolean, list, nested, number, oneOf, record, string } from "../../trace/schema.ts";
import { readRecordFile } from "../../trace/record_file.ts";
import { ExportError } from "../opendc/input.ts";
import { MODEL_TYPES, type PowerModel } from "./models.ts";

const MODEL = record("power model", {
  modelType: oneOf(MODEL_TYPES, { doc: "Its name in OpenDC." }),
  power: number({ doc: "Power of constant, W.", min: 0 }),
  idlePower: number({ doc: "Power at no load, W.", min: 0 }),
  maxPower: number({ doc: "Power at full load, W.", min: 0 }),
  calibrationFactor: number({ doc: "Parameter of mse.", min: 0 }),
  asymUtil: number({ doc: "Parameter of asymptotic.", min: 0 }),
  dvfs: boolean({ doc: "asymptotic: voltage and frequency are scaled." }),
});

const MACHINE = record("machine", {
  nodes: list(string({ doc: "NODE_ID." }), { doc: "Nodes of this type." }),
  best: nested(record("fitted model", { model: nested(MODEL, { doc: "The model." }) }), {
    doc: "The best model.",
  }),
});

const POWER_FILE = record("power file", {
  power_version: string({ doc: "Version of the layout." }),
  machines: list(nested(MACHINE, { doc: "One." }), { doc: "Types of machine." }),
});

/**
 * Read the models in `path`, by node.
 *
 * @throws {ExportError} when there is no such file.
 */
export async function readPower(path: string): Promise<Map<string, PowerModel>> {
  const file = await readRecordFile(path, POWER_FILE.decode);
  if (file === null) {
    throw new ExportError(`Cannot read "${path}": a file of calibrate-power is required`);
  }
  return new Map(
    file.machines.flatMap(({ nodes, best }) => nodes.map((node) => [node, best.model] as const)),
  );
}
