/** A folder of a test that is gone when the test leaves its block. */
export interface TempFolder extends AsyncDisposable {
  /** Its path. */
  readonly path: string;
}

/** Make a {@linkcode TempFolder}. */
export async function tempFolder(): Promise<TempFolder> {
  const path = await Deno.makeTempDir({ prefix: "tracekit-test-" });
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
