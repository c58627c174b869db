import { assertEquals } from "@std/assert";
import {
  adoptArguments,
  listScopesArguments,
  parseScopeNames,
  type Scope,
  setPropertyArguments,
  stopScopesArguments,
  systemdRunArguments,
} from "../../../adapter/place/systemd.ts";

const SCOPE: Scope = {
  unit: "tracekit-17-4711-00f067aa0ba902b7",
  manager: "system",
  limits: { cpus: null, quotaCores: 1.5, weight: 400 },
};

Deno.test("systemdRunArguments() makes a scope that a stopped process holds", () => {
  assertEquals(systemdRunArguments(SCOPE), [
    "systemd-run",
    "--scope",
    "--quiet",
    "--collect",
    "--unit=tracekit-17-4711-00f067aa0ba902b7",
    "--description=Tracekit task",
    "--property=Delegate=yes",
    "--property=CPUAccounting=yes",
    "--property=CPUWeight=400",
    "--property=CPUQuota=150%",
    "--",
    "/bin/sh",
    "-c",
    "kill -STOP $$",
  ]);
});

Deno.test("systemdRunArguments() asks the user's manager for an ordinary user", () => {
  assertEquals(
    systemdRunArguments({ ...SCOPE, manager: "user" }).slice(0, 6).join(" "),
    "systemd-run --user --scope --quiet --collect --unit=tracekit-17-4711-00f067aa0ba902b7",
  );
});

Deno.test("adoptArguments() asks the user's manager for a scope with a process in it", () => {
  assertEquals(
    adoptArguments("tracekit-17-4711", 17).join(" "),
    "busctl --user --quiet call org.freedesktop.systemd1 /org/freedesktop/systemd1 " +
      "org.freedesktop.systemd1.Manager StartTransientUnit ssa(sv)a(sa(sv)) " +
      "tracekit-17-4711.scope fail 2 PIDs au 1 17 Delegate b true 0",
  );
});

Deno.test("setPropertyArguments() changes a scope until the next boot", () => {
  assertEquals(
    setPropertyArguments({ ...SCOPE, limits: { cpus: [2], quotaCores: null, weight: 100 } }),
    [
      "systemctl",
      "--quiet",
      "--runtime",
      "set-property",
      "tracekit-17-4711-00f067aa0ba902b7.scope",
      "CPUAccounting=yes",
      "CPUWeight=100",
      "CPUQuota=",
      "AllowedCPUs=2",
    ],
  );
});

Deno.test("setPropertyArguments() keeps the suffix that a task gave its unit", () => {
  assertEquals(setPropertyArguments({ ...SCOPE, unit: "job-7.scope" })[4], "job-7.scope");
});

Deno.test("listScopesArguments() and stopScopesArguments() name scopes only", () => {
  assertEquals(
    listScopesArguments("system").join(" "),
    "systemctl --quiet --plain --no-legend --full --all list-units tracekit-*.scope",
  );
  assertEquals(
    stopScopesArguments("user", ["a.scope", "b.scope"]).join(" "),
    "systemctl --user --quiet kill --signal=SIGKILL a.scope b.scope",
  );
});

Deno.test("parseScopeNames() reads what list-units prints", () => {
  const output = [
    "tracekit-1-2-ab.scope loaded active running /usr/bin/ffmpeg -i x",
    "  tracekit-1-2-cd.scope loaded active running /usr/bin/ffmpeg -i y",
    "",
  ].join("\n");
  assertEquals(parseScopeNames(output), ["tracekit-1-2-ab.scope", "tracekit-1-2-cd.scope"]);
  assertEquals(parseScopeNames(""), []);
});
