/**
 * The C library by FFI, the one way to open it. glibc on 64-bit Linux is the only one in use; whoever can
 * do without (musl, no grant for FFI) catches {@linkcode LibcUnavailableError}.
 *
 * @module
 */

/** The name of glibc's file, part of its ABI on every architecture that Deno runs on. */
const GLIBC = "libc.so.6";

/** There is no C library to call; the message says why. */
export class LibcUnavailableError extends Error {
  override readonly name = "LibcUnavailableError";
}

/**
 * Open the C library with the functions `symbols`, which the caller closes.
 *
 * @throws {LibcUnavailableError} when FFI is not granted, or the library is not glibc or lacks a function.
 */
export function openLibc<const S extends Deno.ForeignLibraryInterface>(
  symbols: S,
): Deno.DynamicLibrary<S> {
  try {
    return Deno.dlopen(GLIBC, symbols);
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw new LibcUnavailableError(error.message, { cause: error });
    }
    // What dlopen(3) and dlsym(3) say has neither a class nor a number.
    if (error instanceof Error && /dlopen|open|symbol/i.test(error.message)) {
      throw new LibcUnavailableError("the C library is not glibc", { cause: error });
    }
    throw error;
  }
}
