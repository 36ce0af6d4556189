// clients.mjs: stock Socket.IO clients, old and new, over every transport,
// against a conformance server.
//
//	node clients.mjs PROGRAM [words of a case's name]
//
// PROGRAM: nightjar-conformance, or ../reference/reference.mjs to prove this
// suite itself. COMBOS=4.7,polling narrows; SLOWEST=1 shows what takes time.
import { io as io40 } from 'socket.io-client-4.0';
import { io as io45 } from 'socket.io-client-4.5';
import { io as io47 } from 'socket.io-client-4.7';
import { io as ioNewest } from 'socket.io-client';
import { Case } from './client.mjs';
import { engine } from './cases_engine.mjs';
import { events } from './cases_events.mjs';
import { life } from './cases_life.mjs';
import { recovery } from './cases_recovery.mjs';
import { restart } from './cases_restart.mjs';
import { spaces } from './cases_spaces.mjs';
import { PROFILE_B, PROFILE_C, Server } from './server.mjs';
import { Tap } from './tap.mjs';

const VERSIONS = { '4.0': io40, '4.5': io45, '4.7': io47, '4.8': ioNewest };
const TRANSPORTS = { websocket: ['websocket'], polling: ['polling'],
  upgrade: ['polling', 'websocket'] };
const AT_ONCE = 24;

const [program, only] = process.argv.slice(2);
if (!program) throw new Error('which program?');
const threads = process.env.THREADS ? ['--threads', process.env.THREADS] : [];
const wanted = (process.env.COMBOS ?? '').split(',').filter(Boolean);

const plain = await new Server(program, [...PROFILE_B, ...threads]).start();
const SELDOM = ['--ping-interval', '30000', '--ping-timeout', '30000'];
const recovering = await new Server(program, [...PROFILE_C, ...SELDOM,
  ...threads]).start();
// These clients do not come back.
const calm = await new Server(program, [...PROFILE_B, ...SELDOM, ...threads]).start();
const tap = new Tap(AT_ONCE);

function add(combo, server, name, run) {
  tap.add(`${combo.version} ${combo.transport}: ${name}`, async () => {
    const t = new Case(combo, server);
    try {
      await run(t);
    } finally {
      t.end();
    }
  });
}

for (const [version, io] of Object.entries(VERSIONS)) {
  for (const [transport, transports] of Object.entries(TRANSPORTS)) {
    const combo = { version, io, transport, transports };
    if (!wanted.every((w) => w === version || w === transport)) continue;
    const probe = new Case(combo, plain);
    for (const [set, server] of [[{ ...events, ...spaces, ...life }, plain],
      [recovery, recovering]]) {
      for (const [name, run] of Object.entries(set)) {
        if (!run.applies || run.applies(probe)) add(combo, server, name, run);
      }
    }
  }
}
engine(tap, calm);
restart(tap, program);

let good = await tap.run(only);
for (const s of [plain, recovering, calm]) {
  const { code } = await s.stop();
  if (code !== 0) {
    console.log(`# the server ended with ${code}`);
    good = false;
  }
}
process.exit(good ? 0 : 1);
