import { assertEquals } from "@std/assert";
import { planTimeSync, TIME_SYNC_PROGRAMS } from "../../collector/time_sync.ts";

const pool = "ntp.example";

Deno.test("planTimeSync() prefers chronyc, timedatectl, ntpdate, sntp in this order", () => {
  const chosen = TIME_SYNC_PROGRAMS.map((_, from) => {
    const programs = TIME_SYNC_PROGRAMS.slice(from).toReversed();
    const plan = planTimeSync({ programs, privilege: [], pool });
    return plan.kind === "run" ? plan.commands : plan;
  });
  assertEquals(chosen, [
    [["chronyc", "burst", "4/4"], ["chronyc", "makestep"]],
    [["timedatectl", "set-ntp", "true"]],
    [["ntpdate", "-u", pool]],
    [["sntp", "-S", pool]],
  ]);
});

Deno.test("planTimeSync() puts sudo before the command of a user who may", () => {
  assertEquals(planTimeSync({ programs: ["ntpdate"], privilege: ["sudo", "-n"], pool }), {
    kind: "run",
    commands: [["sudo", "-n", "ntpdate", "-u", pool]],
  });
});

Deno.test("planTimeSync() is skipped with a reason without program or privilege", () => {
  assertEquals(planTimeSync({ programs: [], privilege: [], pool }), {
    kind: "skip",
    reason: "none of chronyc, timedatectl, ntpdate, sntp is installed",
  });
  assertEquals(planTimeSync({ programs: ["sntp"], privilege: null, pool }).kind, "skip");
});
