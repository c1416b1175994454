// Open GraphiQL as a browser does, and run a query in it by its button: node graphiql.mjs URL
import { createRequire } from 'node:module'
import { join } from 'node:path'

const require = createRequire(join(process.cwd(), 'package.json'))
const { JSDOM, VirtualConsole } = require('jsdom')
const url = process.argv[2]
const asked = []
const errors = []
const virtualConsole = new VirtualConsole()
virtualConsole.on('jsdomError', (error) => errors.push(String(error)))

const dom = await JSDOM.fromURL(`${url}/graphql`, {
  runScripts: 'dangerously',
  resources: 'usable',
  pretendToBeVisual: true,
  virtualConsole,
  beforeParse(window) {
    // What jsdom lacks and every browser has.
    Object.assign(window, { TextDecoder, TextEncoder, Response, Headers, Request, ReadableStream })
    window.matchMedia = () => ({ matches: false, addEventListener() {}, removeEventListener() {} })
    window.ResizeObserver = class { observe() {} unobserve() {} disconnect() {} }
    window.document.createRange = () => ({
      setEnd() {}, setStart() {}, commonAncestorContainer: window.document.body,
      getBoundingClientRect: () => ({ left: 0, right: 0, top: 0, bottom: 0 }), getClientRects: () => [],
    })
    window.fetch = (where, init) => {
      asked.push(String(where))
      return fetch(new URL(where, url), init)
    }
  },
})
const { document } = dom.window
const until = async (what) => {
  for (let tries = 0; tries < 2400; tries++) {
    if (what()) return true
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
  return false
}
const button = () => document.querySelector('.graphiql-execute-button')
const started = await until(() => button() && document.querySelector('.graphiql-query-editor .CodeMirror'))
await until(() => asked.length > 0)
const editor = document.querySelector('.graphiql-query-editor .CodeMirror').CodeMirror
editor.setValue('{ stats { events } }')
await until(() => asked.length > 1 || (button().click(), false))
const result = () => document.querySelector('.result-window .CodeMirror')?.CodeMirror?.getValue() ?? ''
await until(() => result().includes('events'))
const elsewhere = [...document.querySelectorAll('script[src], link[href], img[src], iframe[src]')]
  .map((element) => element.src || element.href)
  .filter((address) => typeof address === 'string' && !address.startsWith(url))
console.log(JSON.stringify({ started: Boolean(started), asked, result: result(), elsewhere, errors }))
process.exit(0)
