/** Ports of 127.0.0.1 that nobody else takes between the choice and the use. */

/** Nobody listens there: only root may, and the service that it once was (tcpmux) is gone everywhere. */
export const CLOSED_PORT = 1;

/**
 * Below the ports that Linux gives to outgoing connections (32768 and up, ip_local_port_range): there a
 * client that comes back to a server that is down takes the server's own port now and then,  and writes to
 * itself. Above those of well-known servers, Redis' among them.
 */
const FIRST = 12_000;
const LAST = 32_000;

/** A port that is free now. Two that choose at the same time meet once in 20,000 times. */
export function freePort(): number {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    try {
      using _listener = Deno.listen({ hostname: "127.0.0.1", port });
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}
