/** Unit files, as text and as systemd reads them. */

import { assert, assertEquals, assertLess, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { unitFiles } from "../../tasks/deploy/unit_files.ts";
import { runCommand } from "../support/command_process.ts";
import { hasPrograms } from "../support/has_program.ts";
import { tempFolder } from "../support/temp_folder.ts";

const OPTIONS = {
  dir: "/opt/tracekit",
  user: "tracekit",
  isTls: false,
  isAdapterPrivileged: false,
};

Deno.test("unitFiles() has a unit for each role", () => {
  assertEquals([...unitFiles(OPTIONS).keys()], [
    "tracekit-collector.service",
    "tracekit-worker.service",
    "tracekit-scheduler.service",
  ]);
});

Deno.test("unitFiles() writes the scheduler's unit", () => {
  assertEquals(
    unitFiles({ ...OPTIONS, isTls: true }).get("tracekit-scheduler.service"),
    `[Unit]
Description=Tracekit scheduler: places tasks on nodes
Wants=network-online.target
After=network-online.target

[Service]
Type=exec
User=tracekit
WorkingDirectory=/var/lib/tracekit
StateDirectory=tracekit
CacheDirectory=tracekit
Environment=TRACEKIT_CACHE_DIR=/var/cache/tracekit
EnvironmentFile=/etc/tracekit/run_id.env
EnvironmentFile=/etc/tracekit/scheduler.env
LoadCredential=redis.password:/etc/tracekit/scheduler.password
ExecStart=/opt/tracekit/tracekit-scheduler scheduler \
--redis-password-file=\${CREDENTIALS_DIRECTORY}/redis.password --tls-ca=/etc/tracekit/ca.crt
Restart=on-failure
NoNewPrivileges=yes
CapabilityBoundingSet=
PrivateDevices=yes
ProtectClock=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
UMask=0077
ProtectControlGroups=yes
ProtectProc=invisible
RestrictRealtime=yes

[Install]
WantedBy=multi-user.target
`,
  );
});

Deno.test("unitFiles() takes nothing from the worker that sudo needs", () => {
  const worker = (isAdapterPrivileged: boolean) =>
    unitFiles({ ...OPTIONS, isAdapterPrivileged }).get("tracekit-worker.service") ?? "";
  assertStringIncludes(worker(false), "NoNewPrivileges=yes\n");
  const privileged = worker(true);
  assertStringIncludes(privileged, '--adapter-command "sudo -n /opt/tracekit/tracekit-adapter"\n');
  // systemd.exec(5): each of these implies NoNewPrivileges=yes for a user without privileges.
  const implying =
    /NoNewPrivileges|SystemCall|Restrict|LockPersonality|PrivateDevices|ProtectKernel/;
  assert(!implying.test(privileged), privileged);
  assert(!privileged.includes("CapabilityBoundingSet"), "sudo's child inherits the bounding set");
});

Deno.test("units refuses what would not be one word in a unit", async () => {
  for (const flag of ["--dir=opt/tracekit", "--dir=/opt/a b", "--user=a b", "--user=%u"]) {
    const { code, stderr } = await runCommand(["units", flag]);
    assertEquals(code, 2, stderr);
  }
});

async function analyze(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command("systemd-analyze", {
    args: [...args],
    stdin: "null",
  }).output();
  const said = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
  assertEquals(code, 0, said);
  return said;
}

Deno.test({
  name: "units are units to systemd",
  ignore: !await hasPrograms("systemd-analyze"),
  async fn(): Promise<void> {
    await using folder = await tempFolder();
    for (const role of ["collector", "worker", "scheduler"]) {
      const path = join(folder.path, `tracekit-${role}`);
      await Deno.writeTextFile(path, "#!/bin/sh\n", { mode: 0o755 });
    }
    for (const flags of [[], ["--tls", "--privileged-adapter"]]) {
      const made = await runCommand([
        ...["units", "--out", folder.path, "--dir", folder.path, "--user=root"],
        ...flags,
      ]);
      assertEquals(made.code, 0, made.stderr);
      for (const role of ["collector", "worker", "scheduler"]) {
        const unit = join(folder.path, `tracekit-${role}.service`);
        const said = await analyze("verify", "--man=no", "--recursive-errors=no", unit);
        assert(!said.includes(`tracekit-${role}.service`), said);
      }
    }
  },
});

Deno.test({
  name: "units expose less than systemd calls medium",
  ignore: !await hasPrograms("systemd-analyze"),
  async fn(): Promise<void> {
    await using folder = await tempFolder();
    const made = await runCommand(["units", "--out", folder.path]);
    assertEquals(made.code, 0, made.stderr);
    for (const role of ["collector", "worker", "scheduler"]) {
      const unit = join(folder.path, `tracekit-${role}.service`);
      const said = await analyze("security", "--offline=yes", "--no-pager", unit);
      const [, exposure] = /exposure level for \S+: ([\d.]+)/.exec(said) ?? [];
      assertLess(Number(exposure), 5, said);
    }
  },
});
