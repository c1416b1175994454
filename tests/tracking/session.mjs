// One session of a person, sent by a library to a server: node session.mjs LIBRARY URL KEY USER
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [library, url, key, user] = process.argv.slice(2)
const require = createRequire(join(process.cwd(), 'package.json'))
const failed = (error) => {
  console.error(error)
  process.exitCode = 1
}

let analytics
if (library === '@segment/analytics-node') {
  const { Analytics } = require(library)
  analytics = new Analytics({ writeKey: key, host: url, flushAt: 3, maxRetries: 0 })
  analytics.on('error', failed)
} else {
  const Analytics = require(library)
  const made = Analytics.default ?? Analytics
  analytics = new made(key, { dataPlaneUrl: url, flushAt: 3, logLevel: 'error', errorHandler: failed })
}

const email = `${user}@example.org`
analytics.page({ anonymousId: `anonymous-${user}`, name: 'Home', properties: { path: '/' } })
analytics.identify({ userId: user, anonymousId: `anonymous-${user}`, traits: { email, plan: 'pro' } })
analytics.track({ userId: user, event: 'Signed Up', properties: { from: library } })
analytics.group({ userId: user, groupId: 'acme', traits: { email: 'office@example.org', name: 'Acme' } })
analytics.alias({ userId: user, previousId: `earlier-${user}` })

if (analytics.closeAndFlush) await analytics.closeAndFlush({ timeout: 60000 })
else await analytics.flush()
