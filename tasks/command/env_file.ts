/** Files of variables, such as `run_id.env`. */

/** Variables of a `NAME=value` file such as `run_id.env`; comments, quotes and `export` as sh has them. */
export function parseEnvFile(content: string): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const line of content.split("\n")) {
    const [, name, raw = ""] = /^\s*(?:export\s+)?([A-Za-z_]\w*)=(.*?)\s*$/.exec(line) ?? [];
    if (name === undefined) continue;
    const [, , quoted] = /^(["'])(.*)\1$/.exec(raw) ?? [];
    variables[name] = quoted ?? raw.replace(/\s+#.*$/, "");
  }
  return variables;
}
