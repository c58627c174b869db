import { assertEquals } from "@std/assert";
import { PlacementFold } from "../../../export/tables/placement_rows.ts";
import { type Host, infeasibility } from "../../../scheduler/placement/placement.ts";
import { PLACEMENT_EVENT } from "../../../trace/records.ts";

Deno.test("candidates are the nodes that the scheduler's own placement finds feasible", () => {
  const tokenNodes = new Set(["n0", "n3", "n6", "n12"]);
  const hosts: Host[] = [];
  for (const capacity of [2, 8]) {
    for (const free of [0, 2]) {
      for (const freeSlots of [null, 0, 1]) {
        for (const isDraining of [false, true]) {
          const node = `n${hosts.length}`;
          hosts.push({ node, capacity, free, freeSlots, tasks: 0, isDraining });
        }
      }
    }
  }
  const take = (fold: PlacementFold, event: object) =>
    fold.take(PLACEMENT_EVENT.decode({ ts_ms: 1, ...event }, "here"));
  for (const tokens of [null, tokenNodes]) {
    const fold = new PlacementFold();
    for (const { node, capacity, free, freeSlots, isDraining } of hosts) {
      take(fold, {
        event: "host",
        node,
        capacity_units: capacity,
        free_units: free,
        free_slots: freeSlots,
        is_draining: isDraining,
      });
    }
    take(fold, { event: "tokens", token_nodes: tokens === null ? null : [...tokens] });
    for (const units of [1, 2, 4]) {
      const row = take(fold, { event: "waiting", task_id: "t", cpu_units: units, reasons: {} });
      const feasible = hosts.filter((host) => infeasibility(host, units, tokens) === null);
      assertEquals(row?.candidates, feasible.length, `${units} units`);
      assertEquals([row?.hosts, row?.reason], [hosts.length, "no_node"]);
    }
  }
});
