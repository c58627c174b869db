import { assertEquals } from "@std/assert";
import { join } from "@std/path";
import type { CompareReport } from "../../export/compare/compare.ts";
import { exportOpendc } from "../../export/opendc/export.ts";
import { findRunner, FORM_CHOICES } from "../../tasks/opendc/runner.ts";
import { runCommand } from "../support/command_process.ts";
import { writeTwoNodeRun } from "../support/cts_run.ts";
import { has } from "../support/left_out.ts";
import { tempFolder } from "../support/temp_folder.ts";

const RUNNER = Deno.env.get("OPENDC_RUNNER");
const HAS_OPENDC = has({ "a real OpenDC in OPENDC_RUNNER": RUNNER !== undefined });

/** Forms of experiments that the program reads. */
async function formsOf(runner: string): Promise<readonly string[]> {
  const { program } = await findRunner(runner);
  return program === "opendc" ? FORM_CHOICES : ["legacy"];
}

Deno.test(
  "a real OpenDC replays each host exactly, and ends every task of the policy",
  { ignore: !HAS_OPENDC },
  async () => {
    await using root = await tempFolder();
    const input = join(root.path, "run");
    const folder = join(root.path, "export");
    await writeTwoNodeRun(input);
    await exportOpendc({ input, output: folder, version: "test" });
    for (const form of await formsOf(RUNNER ?? "")) {
      for (const experiment of ["replay", "policy"]) {
        const args = ["run", "simulate", "--input", folder, "--json", "--form", form];
        const { stdout, stderr } = await runCommand([...args, "--experiment", experiment]);
        const reports = stdout.trim().split("\n").map((line) => JSON.parse(line) as CompareReport);
        assertEquals(reports.length, experiment === "replay" ? 2 : 1, stderr);
        for (const { checks } of reports) {
          const wanted = experiment === "replay"
            ? ["tasks_finished", "start_deviation", "makespan"]
            : ["tasks_finished", "makespan"];
          for (const id of wanted) {
            const check = checks.find((one) => one.id === id);
            assertEquals(check?.status, "pass", JSON.stringify(check));
          }
        }
      }
    }
  },
);
