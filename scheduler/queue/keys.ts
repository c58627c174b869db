/**
 * Names of the queue's keys in Redis. Those of the seeds are unchanged, so that everybody's
 * redis-cli habits hold; ours begin with `tk:`. Scripts derive the same names from the prefix.
 *
 * @module
 */

/** Key names behind one prefix. */
export class Keys {
  /** What is before every key: separates two experiments on one Redis. */
  readonly prefix: string;

  /** Keys behind `prefix`. */
  constructor(prefix: string) {
    this.prefix = prefix;
  }

  /** The pending queue where nothing else is configured. */
  static readonly PENDING = "q:pending";
  /** The slot tokens where nothing else is configured. */
  static readonly SLOTS = "slots:available";

  /** LIST: tasks of one node. */
  nodeQueue(node: string): string {
    return `${this.prefix}q:${node}`;
  }
  /** LIST: dead letters. */
  get dead(): string {
    return `${this.prefix}q:dead`;
  }
  /** HASH: names and policies that all roles share. */
  get config(): string {
    return `${this.prefix}tk:config`;
  }
  /** ZSET: node by the end of its lease, epoch ms. */
  get nodes(): string {
    return `${this.prefix}tk:nodes`;
  }
  /** HASH: a node's books. */
  node(node: string): string {
    return `${this.prefix}tk:node:${node}`;
  }
  /** SET: nodes that changed since the scheduler last read them. */
  get dirty(): string {
    return `${this.prefix}tk:dirty`;
  }
  /** HASH: what ought to be in a list beyond assigned tasks; "" is the pending queue. */
  index(node: string): string {
    return `${this.prefix}tk:index:${node}`;
  }
  /** ZSET: tasks assigned to a node and not yet claimed. */
  assigned(node: string): string {
    return `${this.prefix}tk:assigned:${node}`;
  }
  /** HASH: tasks that a node runs, by attempt. */
  running(node: string): string {
    return `${this.prefix}tk:running:${node}`;
  }
  /** HASH: a task from its first assignment to its end. */
  task(taskId: string): string {
    return `${this.prefix}tk:task:${taskId}`;
  }
  /** STRING: how a task ended, for a minute after its end. */
  ended(taskId: string): string {
    return `${this.prefix}tk:ended:${taskId}`;
  }
  /** LIST: results that the scheduler has not written down yet. */
  get results(): string {
    return `${this.prefix}tk:results`;
  }
  /** HASH: tasks ended, by state. */
  get totals(): string {
    return `${this.prefix}tk:totals`;
  }
  /** HASH: the same of one dispatch, and how many it enqueued. */
  progress(dispatchId: string): string {
    return `${this.prefix}tk:progress:${dispatchId}`;
  }
  /** STRING: token of the active scheduler. */
  get leader(): string {
    return `${this.prefix}tk:leader`;
  }
  /** SET: nodes that an operator drained, alive or not. */
  get drained(): string {
    return `${this.prefix}tk:drained`;
  }
  /** HASH: this life of the data: id, beat, the id before it, when data were lost. */
  get life(): string {
    return `${this.prefix}tk:life`;
  }
  /** Channel: something changed that a scheduler may act on. */
  get schedulerChannel(): string {
    return `${this.prefix}tk:wake`;
  }
  /** Channel: something changed that the worker of `node` may act on. */
  nodeChannel(node: string): string {
    return `${this.prefix}tk:wake:${node}`;
  }
}
