/**
 * A program that reads both clocks at its first instruction and again as its last act: what a traced
 * process itself knows about its start and its end. A static executable without any library: between its
 * exec and its first stamp is nothing but the kernel.
 */

/** What one run of the program said. */
export interface Stamps {
  /** At its first instruction: wall clock, epoch ms, and boot clock, ms. */
  readonly first: { readonly tsMs: number; readonly bootMs: number };
  /** Before it exits. */
  readonly last: { readonly tsMs: number; readonly bootMs: number };
}

/** Between the stamps it sleeps so long for each argument, ms. */
export const SLEEP_PER_ARGUMENT_MS = 10;

/** The program for x86_64; bytes on the left, what they say on the right (a test assembles the right). */
export const STAMPING_LISTING: readonly (readonly [bytes: string, assembly: string])[] = [
  ["48 8b 04 24", "mov rax, [rsp]"], // argc
  ["48 ff c8", "dec rax"],
  ["48 69 c0 80 96 98 00", "imul rax, rax, 10000000"], // ns of sleep
  ["48 83 ec 60", "sub rsp, 96"], // four stamps and the timespec of the sleep
  ["48 c7 44 24 40 00 00 00 00", "mov qword ptr [rsp+64], 0"],
  ["48 89 44 24 48", "mov [rsp+72], rax"],
  ["b8 e4 00 00 00", "mov eax, 228"], // clock_gettime
  ["31 ff", "xor edi, edi"], // CLOCK_REALTIME
  ["48 89 e6", "mov rsi, rsp"],
  ["0f 05", "syscall"],
  ["b8 e4 00 00 00", "mov eax, 228"],
  ["bf 07 00 00 00", "mov edi, 7"], // CLOCK_BOOTTIME
  ["48 8d 74 24 10", "lea rsi, [rsp+16]"],
  ["0f 05", "syscall"],
  ["b8 01 00 00 00", "mov eax, 1"], // write
  ["bf 01 00 00 00", "mov edi, 1"],
  ["48 89 e6", "mov rsi, rsp"],
  ["ba 20 00 00 00", "mov edx, 32"],
  ["0f 05", "syscall"],
  ["b8 23 00 00 00", "mov eax, 35"], // nanosleep
  ["48 8d 7c 24 40", "lea rdi, [rsp+64]"],
  ["31 f6", "xor esi, esi"],
  ["0f 05", "syscall"],
  ["b8 e4 00 00 00", "mov eax, 228"],
  ["31 ff", "xor edi, edi"],
  ["48 8d 74 24 20", "lea rsi, [rsp+32]"],
  ["0f 05", "syscall"],
  ["b8 e4 00 00 00", "mov eax, 228"],
  ["bf 07 00 00 00", "mov edi, 7"],
  ["48 8d 74 24 30", "lea rsi, [rsp+48]"],
  ["0f 05", "syscall"],
  ["b8 01 00 00 00", "mov eax, 1"],
  ["bf 01 00 00 00", "mov edi, 1"],
  ["48 8d 74 24 20", "lea rsi, [rsp+32]"],
  ["ba 20 00 00 00", "mov edx, 32"],
  ["0f 05", "syscall"],
  ["b8 e7 00 00 00", "mov eax, 231"], // exit_group
  ["31 ff", "xor edi, edi"],
  ["0f 05", "syscall"],
];

/** Where the one segment is loaded. */
const BASE = 0x40_0000n;
/** ELF header and one program header, elf(5). */
const HEADER_BYTES = 64 + 56;
/** Two stamps of two struct timespec each. */
const PRINTED_BYTES = 64;

/** Write the program to `path`, executable. */
export async function writeStampingProgram(path: string): Promise<void> {
  const code = STAMPING_LISTING.flatMap(([bytes]) => bytes.split(" "))
    .map((byte) => parseInt(byte, 16));
  const file = new Uint8Array(HEADER_BYTES + code.length);
  file.set(code, HEADER_BYTES);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]); // 64-bit, little-endian, version 1
  const view = new DataView(file.buffer);
  const size = BigInt(file.length);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 62, true); // EM_X86_64
  view.setUint32(20, 1, true);
  view.setBigUint64(24, BASE + BigInt(HEADER_BYTES), true); // entry
  view.setBigUint64(32, 64n, true); // program headers
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint32(64, 1, true); // PT_LOAD
  view.setUint32(68, 5, true); // readable, executable
  view.setBigUint64(80, BASE, true);
  view.setBigUint64(88, BASE, true);
  view.setBigUint64(96, size, true);
  view.setBigUint64(104, size, true);
  view.setBigUint64(112, 0x1000n, true);
  await Deno.writeFile(path, file, { mode: 0o755 });
}

/** What the program printed. */
export function parseStamps(printed: Uint8Array<ArrayBuffer>): Stamps {
  if (printed.length !== PRINTED_BYTES) {
    throw new Error(
      `Cannot read stamps: ${PRINTED_BYTES} bytes are required, got ${printed.length}`,
    );
  }
  const view = new DataView(printed.buffer, printed.byteOffset);
  const timeMs = (offset: number): number =>
    Number(view.getBigInt64(offset, true)) * 1000 +
    Number(view.getBigInt64(offset + 8, true)) / 1e6;
  return {
    first: { tsMs: timeMs(0), bootMs: timeMs(16) },
    last: { tsMs: timeMs(32), bootMs: timeMs(48) },
  };
}
