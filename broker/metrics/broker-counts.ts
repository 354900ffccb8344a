/**
 * Broker counts: all numbers that one broker bumps, made once and handed down.
 *
 * Always true: two brokers in one process share none of them; what is bumped while serving is a
 * plain number, and nothing here knows who reads it.
 * Made by broker/server/broker.ts; read by broker/server/observations.ts.
 */
import { ConnectionCounts } from './connection-counts.ts'
import { RequestCounts } from './request-counts.ts'
import { StorageCounts } from './storage-counts.ts'
import { type TopicLabels, TopicLedger } from './topic-counts.ts'

/** How far the partitions are that are opened at start. */
export interface StartProgress {
  partitionsTotal: number
  partitionsOpened: number
  /** How long opening, and where needed recovering, took; 0 until it is done. */
  seconds: number
}

export class BrokerCounts {
  readonly storage = new StorageCounts()
  readonly requests = new RequestCounts()
  readonly connections = new ConnectionCounts()
  readonly topics: TopicLedger
  readonly start: StartProgress = { partitionsTotal: 0, partitionsOpened: 0, seconds: 0 }

  constructor(labels?: TopicLabels) {
    this.topics = new TopicLedger(labels)
  }
}
