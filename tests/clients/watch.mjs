// What an app does that shows what happens as it does, by the clients that apps have: node watch.mjs URL
import { readFileSync } from 'node:fs'
import { createClient as overSse } from 'graphql-sse'
import { createClient as overSocket } from 'graphql-ws'
import { WebSocket } from 'ws'

const url = `${process.argv[2]}/graphql`
const text = (name) => readFileSync(`graphql/operations/${name}.graphql`, 'utf8')

async function ask(name, variables = {}) {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query: text(name), variables }),
  })
  const answer = await response.json()
  if (answer.errors) throw new Error(answer.errors[0].extensions.code)
  return answer.data
}

let published = 0
async function publish() {
  const value = `u${published++}`
  const event = {
    id: value, time: '2025-12-01T10:00:00Z', source: 'app', name: 'Seen', traits: { plan: value },
    identifiers: [{ namespace: 'user_id', value }],
  }
  await ask('ingest', { events: [event] })
  return (await ask('resolve')).resolve.id
}

async function everything(stream) {
  const found = []
  for await (const answer of stream) found.push(answer)
  return found
}

async function codes(stream) {
  try {
    return (await everything(stream)).flatMap((answer) => (answer.errors ?? []).map((error) => error.extensions.code))
  } catch (errors) {
    return errors.map((error) => error.extensions.code)
  }
}

async function watch(connect) {
  const first = connect()
  await publish()
  const { changes } = await ask('changes', { first: 100 })
  let cursor = changes.nodes.at(-1).cursor
  const plans = []
  for (const client of [first, connect()]) {
    const stream = client.iterate({ query: text('watch_changes'), variables: { after: cursor, kinds: ['CREATED'] } })
    await publish()
    const { value } = await stream.next()
    plans.push(value.data.changes.person.profile.values.plan)
    cursor = value.data.changes.cursor
    await stream.return()
    if (client === first) await client.dispose()
    else {
      const run = await publish()
      const states = (await everything(client.iterate({ query: text('watch_run'), variables: { run } }))).map(
        ({ data }) => [data.progress.state, data.progress.progress],
      )
      const refused = [
        await codes(client.iterate({ query: text('watch_run'), variables: { run: 'none' } })),
        await codes(client.iterate({ query: text('watch_changes'), variables: { after: 'nonsense' } })),
      ]
      await client.dispose()
      return { plans, states, refused }
    }
  }
}

const socket = await watch(() =>
  overSocket({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, retryAttempts: 0, lazy: true }),
)
const sse = await watch(() => overSse({ url, fetchFn: fetch, retryAttempts: 0 }))
console.log(JSON.stringify({ socket, sse }))
process.exit(0)
