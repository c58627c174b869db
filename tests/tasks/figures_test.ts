import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { latexOf, standaloneSvg } from "../../export/report/figure_files.ts";
import type { Figure } from "../../export/report/figures.ts";
import { parseNode } from "../../export/parse.ts";
import { parseCommand } from "../../tasks/command/parse.ts";
import { main } from "../../tasks/figures.ts";
import { FIGURES } from "../../tasks/flags/figures.ts";
import { hasPrograms } from "../support/has_program.ts";
import { writeQueueRun } from "../support/queue_run.ts";
import { recordingIo } from "../support/recording_io.ts";
import { tempFolder } from "../support/temp_folder.ts";

async function draw(...args: string[]): Promise<readonly string[]> {
  const io = recordingIo();
  assertEquals(await main(parseCommand(FIGURES, args, { env: {}, runIdEnv: {} }), io), 0);
  return io.said;
}

Deno.test("figures draws each figure in two widths, with its data, caption and LaTeX lines", async () => {
  await using root = await tempFolder();
  const run = join(root.path, "r1");
  await writeQueueRun(run);
  for (const node of ["cloud1", "cloud2"]) await parseNode(join(run, node));
  const said = await draw(run, "--theme", "grey");
  const folder = join(run, "figures");
  const text = (name: string) => Deno.readTextFile(join(folder, name));
  const svg = await text("waits-ecdf.svg");
  assertMatch(svg, /width="3\.333in"/);
  assertMatch(await text("waits-ecdf-wide.svg"), /width="7\.000in"/);
  assert(!svg.includes("var(") && !svg.includes("currentColor"), "colours are written out");
  assertMatch(await text("waits-ecdf.csv"), /^,count,least of wait \(ms\)/);
  assertMatch(await text("captions.txt"), /^waits-ecdf: Time from entering.* N = \d+\.$/m);
  assertMatch(
    await text("figures.tex"),
    /\\includegraphics\[width=\\columnwidth\]\{waits-ecdf\.pdf\}/,
  );
  assertMatch(await text("utilisation.csv"), /^time \(ms\),.*reserved/);
  assertEquals((await text("gantt.csv")).trim().split("\r\n").length, 1 + 5);
  if (await hasPrograms("rsvg-convert")) {
    const png = await Deno.readFile(join(folder, "waits-ecdf.png"));
    // Width of the picture, from the IHDR chunk: 3.333 inches of 300 dots.
    assertEquals(new DataView(png.buffer).getUint32(16), 1000);
    assertMatch((await text("waits-ecdf.pdf")).slice(0, 8), /^%PDF-/);
  } else {
    assertMatch(said.join("\n"), /No PDF and PNG: rsvg-convert is required/);
  }
});

Deno.test("standaloneSvg() and latexOf() keep names as text", () => {
  const figure: Figure = {
    id: "x",
    title: "",
    caption: "50 % of a_b & $c",
    svg: '<svg viewBox="0 0 100 50"><path stroke="var(--series-0)"/></svg>',
    columns: [],
    rows: [],
    legend: ["<script>", "b"],
  };
  const svg = standaloneSvg(figure, { theme: "colour" });
  assert(svg.includes("&lt;script&gt;") && svg.includes('stroke="#0072b2"'));
  assertMatch(latexOf([figure]), /\\caption\{50 \\% of a\\_b \\& \\\$c\}/);
});

Deno.test("figures refuses what is not a run", async () => {
  await assertRejects(() => draw("/nowhere/r"), Error, "a folder of a run is required");
  await assertRejects(() => draw(), Error, "RUN_ID");
});
