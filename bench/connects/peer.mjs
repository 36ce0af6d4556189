// peer.mjs MODULES PORT [CERT KEY]: `ws` on Node, plain or by TLS, that does
// nothing with its connections.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'

const [, , modules, port, cert, key] = process.argv
const { WebSocketServer } = createRequire(modules + '/')('ws')
const server = cert
  ? https.createServer({ cert: readFileSync(cert), key: readFileSync(key), minVersion: 'TLSv1.3' })
  : http.createServer()
new WebSocketServer({ server, perMessageDeflate: false })
server.listen(Number(port), '127.0.0.1', 4096)
