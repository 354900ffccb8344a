/**
 * Topic counts: records, bytes and batches by topic, and which topics have their name in a label.
 *
 *   topics with a label    sluice_records_produced_total{topic="orders"} 7
 *   all others, as one     sluice_records_produced_total{topic=""} 3
 *
 * Always true: the number of labels is bounded, however many topics come and go; a topic keeps its
 * label, or its place among the others, for as long as it is there, so no counter goes back; what
 * the others had counted stays when they are deleted.
 * Bumped by broker/replication; read at a scrape.
 */

/** Topics with a label of their own; those that come later are counted together. */
export const maxTopicLabels = 1000

/** Plain numbers of one topic, or of all that have no label. */
export class TopicCounts {
  /** '' = no label. */
  readonly label: string
  recordsProduced = 0
  bytesProduced = 0
  batchesProduced = 0
  recordsFetched = 0
  bytesFetched = 0

  constructor(label: string) {
    this.label = label
  }
}

/** `on`, `off`, or a regular expression over topic names. */
export type TopicLabels = string

export class TopicLedger {
  readonly #wantsLabel: (topic: string) => boolean
  readonly #labelled = new Map<string, TopicCounts>()
  readonly #others = new TopicCounts('')
  /** Topics that stay among the others although a label has become free. */
  readonly #unlabelled = new Set<string>()

  constructor(labels: TopicLabels = 'on') {
    const pattern = labels === 'on' || labels === 'off' ? null : new RegExp(labels)
    this.#wantsLabel = topic => (pattern === null ? labels === 'on' : pattern.test(topic))
  }

  /** The numbers to bump for a topic, made where it has none. */
  of(topic: string): TopicCounts {
    const known = this.#labelled.get(topic)
    if (known !== undefined) return known
    if (this.#unlabelled.has(topic) || !this.#mayLabel(topic)) {
      this.#unlabelled.add(topic)
      return this.#others
    }
    const counts = new TopicCounts(topic)
    this.#labelled.set(topic, counts)
    return counts
  }

  #mayLabel(topic: string): boolean {
    return this.#labelled.size < maxTopicLabels && this.#wantsLabel(topic)
  }

  /** What a topic is called in a label; '' = one of the others. */
  labelOf(topic: string): string {
    return this.#labelled.has(topic) ? topic : ''
  }

  /** The topic was deleted: its label is free. */
  forget(topic: string): void {
    this.#labelled.delete(topic)
    this.#unlabelled.delete(topic)
  }

  all(): TopicCounts[] {
    return [...this.#labelled.values(), this.#others]
  }
}
