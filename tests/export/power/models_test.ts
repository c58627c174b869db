import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { fitModels, powerAt, type PowerModel } from "../../../export/power/models.ts";

/** A model; what is not given is that of a machine of 80 to 240 W. */
function model(given: Partial<PowerModel>): PowerModel {
  return {
    modelType: "linear",
    power: 150,
    idlePower: 80,
    maxPower: 240,
    calibrationFactor: 1,
    asymUtil: 0,
    dvfs: true,
    ...given,
  };
}

// What PowerModels of OpenDC 2.4f gives for the same parameters.
const KNOWN: readonly (readonly [Partial<PowerModel>, utilisation: number, watts: number])[] = [
  [{ modelType: "constant" }, 0.7, 150],
  [{ modelType: "linear" }, 0.25, 120],
  [{ modelType: "sqrt" }, 0.25, 160],
  [{ modelType: "square" }, 0.5, 120],
  [{ modelType: "cubic" }, 0.5, 100],
  [{ modelType: "mse", calibrationFactor: 2 }, 0.5, 80 + 160 * 0.75],
  [{ modelType: "asymptotic", asymUtil: 0.5, dvfs: false }, 0, 80],
  [
    { modelType: "asymptotic", asymUtil: 0.5, dvfs: false },
    0.5,
    80 + 80 * (1.5 - Math.exp(-1)),
  ],
  [
    { modelType: "asymptotic", asymUtil: 0.5, dvfs: true },
    0.5,
    80 + 80 * (1.125 - Math.exp(-0.25)),
  ],
];

for (const [given, utilisation, watts] of KNOWN) {
  Deno.test(`powerAt() of ${JSON.stringify(given)} at ${utilisation}`, () => {
    assertAlmostEquals(powerAt(model(given), utilisation), watts, 1e-9);
  });
}

/** Readings that a model would give, in an order that is not that of the utilisation. */
function readingsOf(
  of: PowerModel,
  count = 200,
): { readonly utilisation: number; readonly watts: number }[] {
  return Array.from({ length: count }, (_, at) => {
    const utilisation = (at * 0.618034) % 1;
    return { utilisation, watts: powerAt(of, utilisation) };
  });
}

for (const modelType of ["linear", "sqrt", "square", "cubic"] as const) {
  Deno.test(`fitModels() finds ${modelType} in its own readings`, () => {
    const [best] = fitModels(readingsOf(model({ modelType })));
    assertAlmostEquals(best?.model.idlePower ?? NaN, 80, 0.5);
    assertAlmostEquals(best?.model.maxPower ?? NaN, 240, 0.5);
    assert((best?.cv_mape ?? 1) < 1e-3, JSON.stringify(best));
  });
}

for (
  const given of [
    { modelType: "mse", calibrationFactor: 1.4 },
    { modelType: "asymptotic", asymUtil: 0.3, dvfs: false },
  ] as const
) {
  Deno.test(`fitModels() comes within 0.2 % of ${given.modelType}`, () => {
    const own = fitModels(readingsOf(model(given)))
      .find((one) => one.model.modelType === given.modelType);
    assert((own?.cv_mape ?? 1) < 2e-3, JSON.stringify(own));
  });
}

Deno.test("fitModels() fits a constant alone where the load hardly varies", () => {
  const readings = Array.from({ length: 40 }, (_, at) => ({
    utilisation: 0.5 + 0.001 * at,
    watts: 100 + (at % 2),
  }));
  const fitted = fitModels(readings);
  assertEquals(fitted.map((one) => one.model.modelType), ["constant"]);
  assertEquals(fitted[0]?.model.power, 100.5);
});

Deno.test("fitModels() never has a model that needs more at idle than at full load", () => {
  const readings = readingsOf(model({ idlePower: 240, maxPower: 80 }));
  for (const { model } of fitModels(readings)) {
    assert(model.maxPower >= model.idlePower && model.idlePower >= 0, JSON.stringify(model));
  }
});
