// tap.mjs: cases that run at once, at most so many; TAP output in their order.
import process from 'node:process';

export class Tap {
  constructor(atOnce) {
    this.cases = [];
    this.atOnce = atOnce;
  }

  /** run(): throws or rejects when the case fails. */
  add(name, run, limit = 120000) {
    this.cases.push({ name, run, limit });
  }

  async one(c) {
    const began = Date.now();
    let timer;
    try {
      await Promise.race([c.run(), new Promise((_, reject) => {
        timer = setTimeout(() => reject(new Error('too slow')), c.limit);
      })]);
    } catch (e) {
      c.error = e ?? new Error('failed');
    }
    clearTimeout(timer);
    c.ms = Date.now() - began;
  }

  say(n, c) {
    console.log(`${c.error ? 'not ok' : 'ok'} ${n} - ${c.name}`);
    if (!c.error) return;
    for (const line of String(c.error.stack ?? c.error).split('\n').slice(0, 12)) {
      console.log(`# ${line}`);
    }
  }

  /** Runs those whose name holds `only`; true when all passed. */
  async run(only) {
    if (only) this.cases = this.cases.filter((c) => c.name.includes(only));
    console.log(`TAP version 13\n1..${this.cases.length}`);
    let next = 0, said = 0, bad = 0;
    const tell = () => {
      while (said < this.cases.length && this.cases[said].ms !== undefined) {
        const c = this.cases[said++];
        if (c.error) bad++;
        this.say(said, c);
      }
    };
    const worker = async () => {
      while (next < this.cases.length) {
        await this.one(this.cases[next++]);
        tell();
      }
    };
    await Promise.all(Array.from({ length: this.atOnce }, worker));
    if (process.env.SLOWEST) {
      for (const c of [...this.cases].sort((a, b) => b.ms - a.ms).slice(0, 15)) {
        console.log(`# ${c.ms} ms ${c.name}`);
      }
    }
    return bad === 0;
  }
}
