/**
 * What each format can say and cannot, as the table in `docs/how-to/import.md`.
 *
 * @module
 */

import { FORMAT_FIELDS } from "./contract.ts";
import { IMPORTERS } from "./formats.ts";

/** The formats as Markdown: a section each, a row for each field that the format can say. */
export function formatTable(): string {
  return IMPORTERS.map(({ name, title, source, says }) => {
    const known = FORMAT_FIELDS.filter((field) => says[field] !== undefined);
    const missing = FORMAT_FIELDS.filter((field) => says[field] === undefined);
    return [
      `### ${name}`,
      "",
      `${title}. Described in: ${source}.`,
      "",
      "| field | from |",
      "| --- | --- |",
      ...known.map((field) => `| ${field} | ${says[field]} |`),
      ...(missing.length === 0 ? [] : ["", `It cannot say: ${missing.join(", ")}.`]),
      "",
    ].join("\n");
  }).join("\n");
}
