/**
 * How a loss of data shows: Redis restarted empty, FLUSHALL, an old snapshot.
 *
 * Each life of the data in Redis has an id of its own and a beat that rises while a scheduler is active.
 * Whoever remembers a later beat of this life, or a life that this one does not follow, proves a loss;
 * the scripts then begin a new life, under an id that no snapshot can bring back, and so everybody learns
 * of it at the next heartbeat.
 *
 * @module
 */

/** A life of the data as a role knows it. */
export interface DataLife {
  /** Its id; "": none is known yet. */
  readonly id: string;
  /** How far it was when last seen. */
  readonly beat: number;
}

/** What a role knows before it has asked. */
export const UNKNOWN_LIFE: DataLife = { id: "", beat: 0 };

/** Arguments of a script that bears witness: what is known, and an id should a new life begin. */
export function lifeArguments({ id, beat }: DataLife): string[] {
  return [id, String(beat), crypto.randomUUID()];
}

/** True when data were lost between `known` and `now`. */
export function isAnotherLife(known: DataLife, now: DataLife): boolean {
  return known.id !== "" && known.id !== now.id;
}
