/**
 * OpenDC's power models, fitted to readings by least squares: pure.
 *
 * Source: PowerModels of opendc-simulator-compute. Each but `constant` is idle + (max - idle) × shape of
 * the utilisation; `mse` and `asymptotic` have a parameter in their shape.
 *
 * @module
 */

/** A power model as OpenDC's topology has it, W. */
export interface PowerModel {
  /** Its name in OpenDC. */
  readonly modelType: ModelType;
  /** Power of `constant`. */
  readonly power: number;
  /** Power at no load. */
  readonly idlePower: number;
  /** Power at full load. */
  readonly maxPower: number;
  /** Parameter of `mse`. */
  readonly calibrationFactor: number;
  /** Parameter of `asymptotic`: the utilisation at which it levels off. */
  readonly asymUtil: number;
  /** True where `asymptotic` is of a machine that scales voltage and frequency. */
  readonly dvfs: boolean;
}

/** Names of the models, simple ones first: of equally good ones the first is taken. */
export const MODEL_TYPES = [
  "constant",
  "linear",
  "sqrt",
  "square",
  "cubic",
  "mse",
  "asymptotic",
] as const;

/** Name of a model. */
export type ModelType = typeof MODEL_TYPES[number];

/** One reading. */
export interface PowerPoint {
  /** Part of the capacity in use, 0 to 1. */
  readonly utilisation: number;
  /** Power, W. */
  readonly watts: number;
}

/** A fitted model and how well it fits. */
export interface FittedModel {
  /** The model. */
  readonly model: PowerModel;
  /** Mean absolute percentage error over the readings, as a part of 1. */
  readonly mape: number;
  /** The same over readings that the model was not fitted to. */
  readonly cv_mape: number;
  /** Root mean square error, W. */
  readonly rmse_w: number;
}

interface Shape {
  readonly modelType: ModelType;
  readonly calibrationFactor?: number;
  readonly asymUtil?: number;
  readonly dvfs?: boolean;
}

/** Part of the dynamic power at `utilisation`. */
function shapeAt(
  { modelType, calibrationFactor = 1, asymUtil = 1, dvfs = true }: Shape,
  utilisation: number,
): number {
  const u = Math.min(1, Math.max(0, utilisation));
  switch (modelType) {
    case "constant":
      return 0;
    case "linear":
      return u;
    case "sqrt":
      return Math.sqrt(u);
    case "square":
      return u ** 2;
    case "cubic":
      return u ** 3;
    case "mse":
      return 2 * u - u ** calibrationFactor;
    case "asymptotic": {
      const x = dvfs ? u ** 3 : u;
      return (1 + x - Math.exp(-x / asymUtil)) / 2;
    }
  }
}

/** Power of `model` at `utilisation`, W. */
export function powerAt(model: PowerModel, utilisation: number): number {
  return model.modelType === "constant"
    ? model.power
    : model.idlePower + (model.maxPower - model.idlePower) * shapeAt(model, utilisation);
}

/** Values tried for a parameter: each 7 % above the one before. */
const PARAMETER_STEPS = 80;

function* between(least: number, most: number): Generator<number> {
  for (let step = 0; step <= PARAMETER_STEPS; step++) {
    yield least * (most / least) ** (step / PARAMETER_STEPS);
  }
}

/** Shapes that a model can have. */
function shapesOf(modelType: ModelType): Shape[] {
  if (modelType === "mse") {
    return [...between(0.1, 20)].map((calibrationFactor) => ({ modelType, calibrationFactor }));
  }
  if (modelType === "asymptotic") {
    return [...between(0.01, 3)].flatMap((asymUtil) =>
      [true, false].map((dvfs) => ({ modelType, asymUtil, dvfs }))
    );
  }
  return [{ modelType }];
}

/** The model of one shape that has the least squares, with 0 ≤ idle ≤ max. */
function fitShape(points: readonly PowerPoint[], shape: Shape): PowerModel {
  const x = points.map(({ utilisation }) => shapeAt(shape, utilisation));
  const y = points.map(({ watts }) => watts);
  const meanX = meanOf(x);
  const meanY = meanOf(y);
  const covariance = meanOf(x.map((one, at) => (one - meanX) * ((y[at] as number) - meanY)));
  const variance = meanOf(x.map((one) => (one - meanX) ** 2));
  let slope = variance > 0 ? Math.max(0, covariance / variance) : 0;
  let idlePower = meanY - slope * meanX;
  if (idlePower < 0) {
    idlePower = 0;
    slope = meanOf(x.map((one, at) => one * (y[at] as number))) / meanOf(x.map((one) => one ** 2));
  }
  return {
    modelType: shape.modelType,
    power: meanY,
    idlePower,
    maxPower: idlePower + slope,
    calibrationFactor: shape.calibrationFactor ?? 1,
    asymUtil: shape.asymUtil ?? 0,
    dvfs: shape.dvfs ?? true,
  };
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, one) => sum + one, 0) / values.length;
}

function squareError(model: PowerModel, points: readonly PowerPoint[]): number {
  return meanOf(
    points.map(({ utilisation, watts }) => (powerAt(model, utilisation) - watts) ** 2),
  );
}

function percentageError(model: PowerModel, points: readonly PowerPoint[]): number {
  return meanOf(
    points.map(({ utilisation, watts }) => Math.abs(powerAt(model, utilisation) - watts) / watts),
  );
}

function fitModel(points: readonly PowerPoint[], modelType: ModelType): PowerModel {
  const models = shapesOf(modelType).map((shape) => fitShape(points, shape));
  const errors = models.map((model) => squareError(model, points));
  return models[errors.indexOf(Math.min(...errors))] as PowerModel;
}

/** Parts of the readings that are left out in turn. */
const FOLDS = 5;

/** Below this range of the utilisation, nothing but a constant can be told from readings. */
const LEAST_RANGE = 0.1;

/**
 * Every model fitted to `points`, which are in the order of time, the best by cross-validated error first.
 * The readings are left out in blocks of neighbours, for neighbours resemble each other.
 */
export function fitModels(points: readonly PowerPoint[]): FittedModel[] {
  const utilisations = points.map(({ utilisation }) => utilisation);
  const range = Math.max(...utilisations) - Math.min(...utilisations);
  const types = range < LEAST_RANGE ? ["constant"] as const : MODEL_TYPES;
  const fitted = types.map((modelType): FittedModel => {
    const model = fitModel(points, modelType);
    return {
      model,
      mape: percentageError(model, points),
      cv_mape: crossValidated(points, modelType),
      rmse_w: Math.sqrt(squareError(model, points)),
    };
  });
  return fitted.toSorted((a, b) => a.cv_mape - b.cv_mape);
}

function crossValidated(points: readonly PowerPoint[], modelType: ModelType): number {
  let sum = 0;
  for (let fold = 0; fold < FOLDS; fold++) {
    const from = Math.floor(fold * points.length / FOLDS);
    const to = Math.floor((fold + 1) * points.length / FOLDS);
    const left = points.slice(from, to);
    const model = fitModel([...points.slice(0, from), ...points.slice(to)], modelType);
    sum += percentageError(model, left) * left.length;
  }
  return sum / points.length;
}
