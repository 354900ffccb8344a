/**
 * hello: the first request on every connection. Both sides learn who the other is, which versions
 * and codecs it speaks, and the limits that it enforces. Any other request before it is refused
 * with INVALID_REQUEST.
 */
import { defineApi, group, type Infer, integer, list, optional, text } from './define.ts'

const limits = {
  maxFrameBytes: integer('Largest message that the broker reads.'),
  maxHeaderBytes: integer('Largest header in it.'),
  maxInFlightRequests: integer('Unanswered requests on one connection.'),
  maxPartitionsPerRequest: integer('Partitions named in one request.'),
  maxFetchBytes: integer('Credit of one fetch; more is cut to it.'),
}
export type BrokerLimits = Infer<typeof limits>

export const hello = defineApi({
  name: 'hello',
  about: 'Introduces a client and returns what the broker is and allows.',
  versions: [1, 1],
  errors: [],
  request: {
    client: group(
      {
        software: text('Name and version of the library, such as "sluice 0.1.0".', 200),
        id: text('clientId given by the user; may be empty.', 200),
      },
      'Who connects.',
    ),
  },
  response: {
    brokerId: integer('The broker that answers.'),
    clusterId: text('Id of the cluster, made with its first data directory.'),
    software: text('Name and version of the broker.', 200),
    apis: list(
      group(
        {
          name: text('The api.', 64),
          minVersion: integer('Lowest version spoken.', 1),
          maxVersion: integer('Highest version spoken.', 1),
        },
        'One api.',
      ),
      'All apis of this broker.',
    ),
    limits: group(limits, 'What the broker refuses to exceed.'),
    rack: optional(text('Where the broker stands.', 200)),
  },
})
