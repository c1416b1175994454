// Compose a supergraph of this service and of one that knows its persons by e-mail: node compose.mjs URL
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(join(process.cwd(), 'package.json'))
const { composeServices } = require('@theguild/federation-composition')
const { parse } = require('graphql')

const response = await fetch(`${process.argv[2]}/graphql`, {
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ query: '{ _service { sdl } }' }),
})
const { data } = await response.json()
const orders = `
  extend schema @link(url: "https://specs.apollo.dev/federation/v2.0", import: ["@key"])
  type Query { order(id: ID!): Order }
  type Order { id: ID! buyer: Person! }
  type Person @key(fields: "key") { key: String orders: [Order!]! }
`
const made = composeServices([
  { name: 'people', typeDefs: parse(data._service.sdl), url: 'http://people' },
  { name: 'orders', typeDefs: parse(orders), url: 'http://orders' },
])
console.log(JSON.stringify({ errors: (made.errors ?? []).map((error) => error.message), sdl: made.publicSdl ?? '' }))
