/**
 * Fuzz for longer than the tests do: MINUTES SEED TARGET, as `deno task fuzz` passes them. Rounds take the
 * targets by turns. It ends with 1 at the first that finds something.
 */

import { Mutator } from "./mutate.ts";
import { type FuzzTarget, runRound } from "./target.ts";
import { TARGETS } from "./targets.ts";

async function main([minutes = "1", seed = "0", target = ""]: readonly string[]): Promise<number> {
  const names = target === "" ? Object.keys(TARGETS) : [target];
  const unknown = names.find((name) => TARGETS[name] === undefined);
  if (unknown !== undefined) {
    const known = Object.keys(TARGETS).join(", ");
    console.error(`fuzz: there is no target ${unknown}: choose one of ${known}`);
    return 2;
  }
  const endMs = performance.now() + Number(minutes) * 60_000;
  const targets: FuzzTarget[] = [];
  for (const name of names) {
    const target = await TARGETS[name]?.();
    if (target !== undefined) targets.push(target);
  }
  // What leaves a callback of the runtime ends the process: say in which round.
  let now = "";
  const tell = (event: ErrorEvent | PromiseRejectionEvent) => {
    console.error(`fuzz ${now}: ${"reason" in event ? event.reason?.stack : event.error?.stack}`);
    Deno.exit(1);
  };
  globalThis.addEventListener("error", tell);
  globalThis.addEventListener("unhandledrejection", tell);
  let rounds = 0;
  for (let next = Number(seed); performance.now() < endMs; next++) {
    for (const one of targets) {
      now = `${one.name}, seed ${next}`;
      try {
        await runRound(one, { seed: next, mutator: new Mutator(next) });
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        console.error(error.message);
        console.error(error.cause instanceof Error ? error.cause.stack : "");
        return 1;
      }
      rounds++;
    }
  }
  for (const one of targets) await one[Symbol.asyncDispose]();
  console.log(`${rounds} rounds of ${names.join(", ")} found nothing`);
  return 0;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
