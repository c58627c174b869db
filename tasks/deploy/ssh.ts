/** Hosts by OpenSSH's own programs, so that keys, agents, jump hosts and configuration are the user's. */

import type { Host } from "./hosts.ts";
import { CommandError } from "../command/main.ts";

/** Options of ssh and scp that hold for all hosts. */
export interface SshOptions {
  /** Configuration instead of the user's own; null: none. */
  readonly config: string | null;
}

/**
 * Nothing is asked at a terminal. A host that does not answer, or no more, is given up after the time of
 * a slow boot or a short outage: by themselves ssh and TCP would wait for minutes.
 */
const OPTIONS = ["BatchMode=yes", "ConnectTimeout=30", "ServerAliveInterval=15"];

/** One host behind ssh. */
export class RemoteHost {
  /** The host. */
  readonly host: Host;
  readonly #options: SshOptions;

  constructor(host: Host, options: SshOptions) {
    this.host = host;
    this.#options = options;
  }

  /** Run `script` by sh in `folder` below the home; what it printed. */
  async run(folder: string, script: string, input: string = ""): Promise<string> {
    const output = await this.#ssh(folder, script).spawnWith(input);
    return new TextDecoder().decode(output);
  }

  /** Run `script` as {@linkcode run} does; what it printed, as a stream into `program`. */
  async pipe(
    folder: string,
    { script, input, program }: {
      readonly script: string;
      readonly input: string;
      readonly program: readonly string[];
    },
  ): Promise<void> {
    const source = this.#ssh(folder, script).spawn();
    const [name = "", ...args] = program;
    const sink = new Deno.Command(name, { args, stdin: "piped", stdout: "null" }).spawn();
    await Promise.all([
      ReadableStream.from([new TextEncoder().encode(input)]).pipeTo(source.stdin),
      source.stdout.pipeTo(sink.stdin),
    ]);
    const reason = await new Response(source.stderr).text();
    if (!(await source.status).success) throw this.#failed(reason);
    if (!(await sink.status).success) throw new CommandError(`${name} failed on what ${this} sent`);
  }

  /** Copy local `files` into `folder` below the home, under names that are beside the final ones. */
  async copy(folder: string, files: readonly { from: string; name: string }[]): Promise<void> {
    for (const { from, name } of files) {
      const { destination, port } = this.host;
      const { success, stderr } = await new Deno.Command("scp", {
        args: [
          ...this.#common(),
          ...port === null ? [] : ["-P", String(port)],
          ...["-q", "-p", from, `${destination}:${folder}/${name}.tmp-copy`],
        ],
        stdin: "null",
      }).output();
      if (!success) throw this.#failed(new TextDecoder().decode(stderr));
      await this.run(folder, `mv -f ${name}.tmp-copy ${name}`);
    }
  }

  /** The host for people. */
  toString(): string {
    return this.host.destination;
  }

  #common(): string[] {
    const { config } = this.#options;
    return [
      ...OPTIONS.flatMap((option) => ["-o", option]),
      ...config === null ? [] : ["-F", config],
    ];
  }

  #ssh(folder: string, script: string): SshCall {
    const { destination, port } = this.host;
    const line = `umask 077; mkdir -p ${folder} && cd ${folder} || exit 1; ${script}`;
    const args = [
      ...this.#common(),
      ...port === null ? [] : ["-p", String(port)],
      destination,
      `exec sh -c '${line.replaceAll("'", `'\\''`)}'`,
    ];
    const spawn = () =>
      new Deno.Command("ssh", { args, stdin: "piped", stdout: "piped", stderr: "piped" }).spawn();
    return {
      spawn,
      spawnWith: async (input) => {
        const child = spawn();
        await ReadableStream.from([new TextEncoder().encode(input)]).pipeTo(child.stdin);
        const { success, stdout, stderr } = await child.output();
        if (success) return stdout;
        const decoder = new TextDecoder();
        throw this.#failed(decoder.decode(stderr).trim() || decoder.decode(stdout));
      },
    };
  }

  #failed(reason: string): CommandError {
    return new CommandError(`${this}: ${reason.trim() || "ssh failed"}`);
  }
}

interface SshCall {
  readonly spawn: () => Deno.ChildProcess;
  readonly spawnWith: (input: string) => Promise<Uint8Array<ArrayBuffer>>;
}
