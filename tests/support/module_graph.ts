/** What imports what in this repository, as `deno info` sees it. */

import { fromFileUrl, join, relative } from "@std/path";
import { tempFolder } from "./temp_folder.ts";

/** The repository. */
export const ROOT = fromFileUrl(new URL("../..", import.meta.url));

/** Folders with code of ours. */
const FOLDERS = ["trace", "collector", "adapter", "scheduler", "export", "tasks", "tests"];

/** One import. */
export interface Import {
  /** The importing file, relative to the repository. */
  readonly from: string;
  /** A file relative to the repository, or `npm:name`, `node:name`, or another URL. */
  readonly to: string;
  /** True for an import that leaves nothing at run time. */
  readonly isTypeOnly: boolean;
}

interface Info {
  readonly modules: readonly {
    readonly specifier: string;
    readonly error?: string;
    readonly dependencies?: readonly {
      readonly code?: { readonly specifier?: string };
      readonly type?: { readonly specifier?: string };
    }[];
  }[];
}

/** Every file below `folder` (relative to the repository) that ends in `ending`, sorted. */
export async function filesBelow(folder: string, ending: string): Promise<string[]> {
  const files: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(join(ROOT, folder))) {
    if (isDirectory) files.push(...await filesBelow(`${folder}/${name}`, ending));
    else if (name.endsWith(ending)) files.push(`${folder}/${name}`);
  }
  return files.sort();
}

/** Every file of ours with this ending, relative to the repository. */
export async function ourFiles(ending: string): Promise<string[]> {
  const below = await Promise.all(FOLDERS.map((folder) => filesBelow(folder, ending)));
  return below.flat();
}

/** Every import of every TypeScript file of ours. */
export async function readImports(): Promise<Import[]> {
  await using folder = await tempFolder();
  // deno info takes one root: a file that imports all the others.
  const root = join(folder.path, "root.ts");
  const files = ["mod.ts", ...await ourFiles(".ts")];
  await Deno.writeTextFile(root, files.map((file) => `import "${join(ROOT, file)}";\n`).join(""));
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--config", join(ROOT, "deno.json"), root],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  const { modules }: Info = JSON.parse(new TextDecoder().decode(stdout));
  const broken = modules.find(({ error }) => error !== undefined);
  if (broken !== undefined) throw new Error(`${broken.specifier}: ${broken.error}`);
  return modules.filter(({ specifier }) => !specifier.endsWith("/root.ts"))
    .flatMap(({ specifier, dependencies = [] }) =>
      dependencies.flatMap(({ code, type }) => {
        const to = code?.specifier ?? type?.specifier;
        if (to === undefined) return [];
        return [{ from: nameOf(specifier), to: nameOf(to), isTypeOnly: code === undefined }];
      })
    );
}

function nameOf(specifier: string): string {
  if (specifier.startsWith("file://")) return relative(ROOT, fromFileUrl(specifier));
  const [, name] = /^npm:\/?((?:@[^/@]+\/)?[^/@]+)/.exec(specifier) ?? [];
  return name === undefined ? specifier : `npm:${name}`;
}
