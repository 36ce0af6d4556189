// flags.mjs: the command line of the conformance server (docs: the program's
// own --help). A flag given twice: the last one counts.
const NUMBERS = {
  'port': [3000, 0, 65535],
  'ping-interval': [300, 1, 86400000],
  'ping-timeout': [200, 1, 86400000],
  'max-payload': [1000000, 1, 1 << 30],
  'connect-timeout': [1000, 1, 86400000],
  'upgrade-timeout': [10000, 1, 86400000],
  'recovery-ms': [0, 0, 86400000],
  'ws-max': [67108864, 1, 1 << 30],
  'threads': [1, 1, 64],          // Node has one; taken and ignored
};
const STRINGS = { 'host': '127.0.0.1', 'root': null };

function refuse(why) {
  process.stderr.write(`reference: ${why}\n`);
  process.exit(2);
}

export function flags(argv) {
  const out = { ...STRINGS };
  for (const [name, [value]] of Object.entries(NUMBERS)) out[name] = value;
  for (let i = 0; i < argv.length; i += 2) {
    const name = argv[i].replace(/^--/, '');
    const value = argv[i + 1];
    const known = name in STRINGS || name in NUMBERS;
    if (!argv[i].startsWith('--') || !known) refuse(`unknown flag ${argv[i]}`);
    if (value === undefined) refuse(`--${name} wants a value`);
    if (name in STRINGS) {
      out[name] = value;
      continue;
    }
    const [, low, high] = NUMBERS[name];
    const n = Number(value);
    if (!/^[0-9]+$/.test(value) || n < low || n > high) {
      refuse(`--${name} wants a number from ${low} to ${high}`);
    }
    out[name] = n;
  }
  return out;
}
