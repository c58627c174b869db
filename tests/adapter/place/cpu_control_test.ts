import { assertEquals, assertMatch, assertThrows } from "@std/assert";
import {
  chooseControl,
  ControlError,
  type ControlOffer,
} from "../../../adapter/place/cpu_control.ts";
import type { AdapterHello } from "../../../trace/adapter_protocol.ts";

const SYSTEMD: ControlOffer["systemd"] = {
  manager: "system",
  systemdRun: "/usr/bin/systemd-run",
  systemctl: "/usr/bin/systemctl",
  busctl: "/usr/bin/busctl",
  env: {},
};

type Wanted = AdapterHello["cpu_control"];
type Binding = AdapterHello["cpu_binding"];

Deno.test.each<[Wanted, Binding, "systemd" | null, 1 | 2 | null, string]>([
  ["auto", "exclusive", null, 1, "cgroup_v1"],
  ["auto", "exclusive", null, 2, "cgroup_v2"],
  ["auto", "exclusive", "systemd", 2, "cgroup_v2"],
  ["auto", "exclusive", "systemd", null, "affinity"],
  ["auto", "exclusive", null, null, "affinity"],
  ["auto", "shared", "systemd", 2, "systemd"],
  ["auto", "shared", null, 2, "cgroup_v2"],
  ["auto", "shared", null, null, "none"],
  ["systemd", "exclusive", "systemd", 2, "systemd"],
  ["cgroup", "shared", "systemd", 1, "cgroup_v1"],
  ["none", "shared", "systemd", 2, "none"],
  ["none", "exclusive", "systemd", 2, "affinity"],
])("chooseControl() for %s, %s, with %s and cgroup version %s is %s", (
  cpu_control,
  cpu_binding,
  systemd,
  cgroupVersion,
  kind,
) => {
  const offer = { systemd: systemd && SYSTEMD, cgroupVersion };
  assertEquals(chooseControl({ cpu_control, cpu_binding }, offer).kind, kind);
});

Deno.test("chooseControl() says what a machine without control costs", () => {
  const wanted = { cpu_control: "auto", cpu_binding: "shared" } as const;
  const { note } = chooseControl(wanted, { systemd: null, cgroupVersion: null });
  assertMatch(note ?? "", /without quota and weight/);
});

Deno.test.each<[Wanted]>([["systemd"], ["cgroup"]])(
  "chooseControl() refuses %s where it is not there",
  (cpu_control) => {
    const wanted = { cpu_control, cpu_binding: "shared" } as const;
    const offer = { systemd: null, cgroupVersion: null };
    assertThrows(() => chooseControl(wanted, offer), ControlError, "Cannot control CPUs by");
  },
);
