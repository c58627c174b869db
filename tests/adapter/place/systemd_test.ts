import { assertEquals } from "@std/assert";
import {
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
  rights: { uid: 1000, gid: 100, groups: [100, 44] },
};

Deno.test("systemdRunArguments() makes a scope and gives root's rights up in it", () => {
  assertEquals(systemdRunArguments(SCOPE, ["/usr/bin/ffmpeg", "-i", "a b"]), [
    "systemd-run",
    "--scope",
    "--quiet",
    "--collect",
    "--unit=tracekit-17-4711-00f067aa0ba902b7",
    "--property=CPUAccounting=yes",
    "--property=CPUWeight=400",
    "--property=CPUQuota=150%",
    "--",
    "setpriv",
    "--reuid=1000",
    "--regid=100",
    "--groups=100,44",
    "--pdeathsig=KILL",
    "--",
    "/usr/bin/ffmpeg",
    "-i",
    "a b",
  ]);
});

Deno.test("systemdRunArguments() asks the user's manager for an ordinary user", () => {
  const scope: Scope = { ...SCOPE, manager: "user", rights: null };
  assertEquals(
    systemdRunArguments(scope, ["true"]).join(" "),
    [
      "systemd-run --user --scope --quiet --collect --unit=tracekit-17-4711-00f067aa0ba902b7",
      "--property=CPUAccounting=yes --property=CPUWeight=400 --property=CPUQuota=150% -- true",
    ].join(" "),
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
