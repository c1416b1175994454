// What an app does, in types made from the schema and the shipped operations: node session.js URL
import {
  IngestDocument,
  JourneyDocument,
  PeopleDocument,
  PersonDocument,
  ResolveDocument,
  type JourneyQuery,
  type PersonBy,
  type TypedDocumentString,
} from './made/graphql.js'

const url: string = process.argv[2] ?? ''

async function ask<Result, Variables>(
  document: TypedDocumentString<Result, Variables>,
  variables: Variables,
): Promise<Result> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/graphql-response+json' },
    body: JSON.stringify({ query: document.toString(), variables }),
  })
  const answer = (await response.json()) as { data?: Result; errors?: { extensions: { code: string } }[] }
  if (!answer.data || answer.errors) throw new Error(answer.errors?.map((error) => error.extensions.code).join())
  return answer.data
}

const ann: PersonBy = { identifier: { namespace: 'email', value: 'Ann@Example.org' } }
const time = (hour: number): string => `2025-12-01T${String(hour).padStart(2, '0')}:00:00Z`
const events = [...Array(5).keys()].map((number) => ({
  id: `event-${number}`,
  time: time(number),
  source: 'app',
  name: 'Opened',
  identifiers: [
    { namespace: 'email', value: 'ann@example.org' },
    { namespace: 'user_id', value: 'u1' },
  ],
  traits: { plan: 'pro', visits: number },
}))

const { ingest } = await ask(IngestDocument, { events })
const { resolve } = await ask(ResolveDocument, {})
const { person } = await ask(PersonDocument, { by: ann, last: 2 })
if (!person) throw new Error('nobody')
const plan: unknown = person.profile.traits.find((trait) => trait.name === 'plan')?.value
const { people } = await ask(PeopleDocument, { by: [{ id: 'nobody' }, ann, { id: person.id }] })

const seen: string[] = []
let before: string | null = null
do {
  const page: JourneyQuery = await ask(JourneyDocument, { by: ann, last: 2, before })
  seen.unshift(...(page.person?.journey.nodes.map((event) => event.id) ?? []))
  before = page.person?.journey.pageInfo.hasPreviousPage ? page.person.journey.pageInfo.startCursor : null
} while (before)

const refused = await ask(JourneyDocument, { by: ann, last: 0 }).catch((error: Error) => error.message)
console.log(
  JSON.stringify({
    accepted: ingest.accepted,
    created: resolve.state,
    keys: person.identifiers.map((member) => member.identifier.key).sort(),
    plan,
    people: people.map((found) => found?.id === person.id),
    latest: person.journey.nodes.map((event) => event.time),
    seen,
    refused,
  }),
)
