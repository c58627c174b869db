/**
 * Why an exchange between a client and the service did not end as it should, in words. Pure.
 *
 * @module
 */

/** Where the service listens. */
export interface ServiceAddress {
  /** Name or address of the host. */
  readonly hostname: string;
  /** TCP port. */
  readonly port: number;
}

/** Why an exchange did not end as it should. */
export interface Failure {
  /** What happened, for event and client. */
  readonly reason: string;
  /** Status for a client that has no head of a response yet. */
  readonly status: 400 | 502 | 504;
}

/** A 101 to a request that asked for no other protocol. */
export const UNASKED: Failure = {
  reason: "the service changed the protocol without being asked",
  status: 502,
};

/** The client left before its answer was whole. */
export const CLIENT_GONE: Failure = { reason: "the client closed the connection", status: 502 };

/** A connection that ended where an answer was due. */
export const CLOSED = "the service closed the connection without an answer";

/** `failure` of a service that had begun to answer. */
export function inAnswer(failure: Failure): Failure {
  if (failure.reason !== CLOSED) return failure;
  return { ...failure, reason: "the service closed the connection in the middle of its answer" };
}

/** What went wrong with the connection to the service at this address. */
export function failureOf(
  error: NodeJS.ErrnoException,
  { hostname, port }: ServiceAddress,
): Failure {
  const place = `${hostname}:${port}`;
  switch (error.code) {
    case "ECONNREFUSED":
      return { reason: `the service at ${place} refuses connections`, status: 502 };
    case "ENOTFOUND":
      return { reason: `the service's host ${hostname} is not known`, status: 502 };
    case "ETIMEDOUT":
      return { reason: `the service at ${place} does not answer`, status: 504 };
    case "ECONNRESET":
    case "EPIPE":
      return { reason: CLOSED, status: 502 };
    default:
      return { reason: `the service at ${place} failed: ${error.message}`, status: 502 };
  }
}
