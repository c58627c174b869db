/** `docs/reference/tables.md`: the tables that `export-tables` writes. */

import { describeTable, type TableDescription } from "../../export/tables/description.ts";
import { TABLES } from "../../export/tables/tables.ts";
import { code, type Page, page, table } from "./page.ts";

const INTRODUCTION =
  `\`deno task export-tables\` writes one file per table, and \`tables.json\` with what
is here. [Analyse a run as tables](../how-to/tables.md) explains how to read them. A column is named
as the field of the record that it comes from; \`epoch_us\` are µs since 1970-01-01 UTC.`;

/** The page of the tables. */
export function tablesPage(): Page {
  return page(
    "tables.md",
    "Tables",
    INTRODUCTION,
    ...Object.values(TABLES).map((one) => sectionOf(describeTable(one))),
  );
}

function sectionOf({ name, doc, key, columns }: TableDescription): string {
  const identity = key.length === 0 ? "" : ` Identity of a row: ${key.map(code).join(", ")}.`;
  return [
    `## ${name}`,
    `${doc}${identity}`,
    table(
      ["column", "type", "unit", "meaning", "source"],
      columns.map(({ name, type, nullable, unit, doc, source }) => [
        code(name),
        nullable ? `${type}, null` : type,
        unit ?? "",
        doc,
        source.replaceAll("<", "&lt;").replaceAll("*", "\\*"),
      ]),
    ),
  ].join("\n\n");
}
