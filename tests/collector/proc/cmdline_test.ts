import { assertEquals } from "@std/assert";
import { parseUsageUsec } from "../../../collector/proc/cgroup_cpu.ts";
import { parseCmdline, redactArguments } from "../../../collector/proc/cmdline.ts";

Deno.test("parseCmdline() keeps empty arguments inside, and a title without NUL bytes", () => {
  assertEquals(parseCmdline("sh\0-c\0\0x y\0"), ["sh", "-c", "", "x y"]);
  assertEquals(parseCmdline("nginx: worker process"), ["nginx: worker process"]);
  assertEquals(parseCmdline(""), []);
});

Deno.test("redactArguments() replaces values whose name says that they are secret", () => {
  const cases: [string[], string[]][] = [
    [["a", "--password", "x"], ["a", "--password", "***"]],
    [["a", "--api-key=x", "PGPASSWORD=y"], ["a", "--api-key=***", "PGPASSWORD=***"]],
    [["curl", "https://u:p@host/x"], ["curl", "https://***@host/x"]],
    [["redis://:p@h:1/0"], ["redis://***@h:1/0"]],
    [["a", "--token", "--verbose"], ["a", "--token", "--verbose"]],
    [["-i", "in.mp4", "key.pem"], ["-i", "in.mp4", "key.pem"]],
  ];
  for (const [argv, expected] of cases) assertEquals(redactArguments(argv), expected);
});

Deno.test("parseUsageUsec() reads cpu.stat", () => {
  assertEquals(parseUsageUsec("usage_usec 1234\nuser_usec 1000\n"), 1234);
  assertEquals(parseUsageUsec("nr_periods 0\n"), null);
});
