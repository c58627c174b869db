import { assertEquals } from "@std/assert";
import {
  cgroupV1CpuValues,
  cgroupV2Values,
  type CpuLimits,
  cpusetValues,
  quotaPercent,
  systemdProperties,
  weightOf,
} from "../../../adapter/cpu/limits.ts";

const LIMITED: CpuLimits = { cpus: [0, 1, 3], quotaCores: 4 / 3, weight: 200 };
const FREE: CpuLimits = { cpus: null, quotaCores: null, weight: null };
const TINY: CpuLimits = { cpus: null, quotaCores: 0.001, weight: 1 };

Deno.test("cgroupV2Values() writes weight, quota and CPUs", () => {
  assertEquals(cgroupV2Values(LIMITED), [
    ["cpu.weight", "200"],
    ["cpu.max", "133333 100000"],
    ["cpuset.cpus", "0-1,3"],
  ]);
});

Deno.test("cgroupV2Values() takes limits away that are not set", () => {
  assertEquals(cgroupV2Values(FREE), [["cpu.weight", "100"], ["cpu.max", "max 100000"]]);
});

Deno.test("cgroupV1CpuValues() translates weight 100 to 1024 shares", () => {
  assertEquals(cgroupV1CpuValues(LIMITED), [
    ["cpu.shares", "2048"],
    ["cpu.cfs_period_us", "100000"],
    ["cpu.cfs_quota_us", "133333"],
  ]);
  assertEquals(cgroupV1CpuValues(FREE)[0], ["cpu.shares", "1024"]);
});

Deno.test("cgroupV1CpuValues() takes a quota away by -1", () => {
  assertEquals(cgroupV1CpuValues(FREE)[2], ["cpu.cfs_quota_us", "-1"]);
});

Deno.test("cgroupV1CpuValues() stays above the smallest values that the kernel takes", () => {
  assertEquals(cgroupV1CpuValues(TINY), [
    ["cpu.shares", "10"],
    ["cpu.cfs_period_us", "100000"],
    ["cpu.cfs_quota_us", "1000"],
  ]);
});

Deno.test("cpusetValues() writes nothing where CPUs are not limited", () => {
  assertEquals(cpusetValues(FREE), []);
});

Deno.test("systemdProperties() writes percents of one core", () => {
  assertEquals(systemdProperties(LIMITED), [
    "CPUAccounting=yes",
    "CPUWeight=200",
    "CPUQuota=133.33%",
    "AllowedCPUs=0-1,3",
  ]);
});

Deno.test("systemdProperties() takes a quota away by an empty value", () => {
  assertEquals(systemdProperties(FREE), ["CPUAccounting=yes", "CPUWeight=100", "CPUQuota="]);
});

Deno.test("weightOf() multiplies, up to what cgroup v2 takes", () => {
  assertEquals(weightOf(4, 100), 400);
  assertEquals(weightOf(200, 100), 10_000);
});

Deno.test("quotaPercent() keeps two decimals", () => {
  assertEquals(quotaPercent(2 / 3), 66.67);
});
