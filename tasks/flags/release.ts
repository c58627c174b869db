/** Flags of release. */

import { command, text } from "../command/flag_table.ts";
import { commandNamed } from "../commands.ts";

/** Makes a release. */
export const RELEASE = command({
  ...commandNamed("release"),
  operands: "[VERSION]",
  flags: {
    "out": text("Folder of the artifacts; default: release/VERSION.", { placeholder: "DIR" }),
    "form": text("Form of the executables, as compile has it.", {
      choices: ["auto", "compile", "portable"],
      fallback: "auto",
    }),
    "only": text("Make only the npm package, for a test of it.", { choices: ["npm"] }),
  },
  notes: [
    "With VERSION: sets it in deno.json and CITATION.cff, gives it the changelog's unreleased section,",
    "commits and tags that in a checkout of its own, makes the artifacts there, and moves this branch to",
    "the commit once they are made. Nothing is pushed or published.",
    "Without: the artifacts of this checkout as it is, for a trial.",
    "Makes tracekit-tracekit-VERSION.tgz (npm install -g FILE), the executables, a source archive,",
    "NOTES.md and SHA256SUMS.",
  ],
});
