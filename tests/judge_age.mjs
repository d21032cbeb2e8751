// Judges the hybrid age recipient both ways with npm `age-encryption`, and prints the hybrid vectors of npm `cctv-age`.
//
//   node judge_age.mjs open IDENTITY < SEALED      the content of a file that we sealed
//   node judge_age.mjs seal RECIPIENT < CONTENT    a file for us to open
//   node judge_age.mjs recipient IDENTITY          the recipient of an identity
//   node judge_age.mjs vectors                     a JSON array of { name, expect, identities, payload, file }
//
// It runs beside tests/.judges/npm/node_modules, where the packages are.
import fs from 'node:fs'
import crypto from 'node:crypto'
import zlib from 'node:zlib'
import { createRequire } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'

const require = createRequire(fileURLToPath(new URL('.judges/npm/', import.meta.url)))
const load = name => import(pathToFileURL(require.resolve(name)))

const [verb, argument] = process.argv.slice(2)
switch (verb) {
  case 'open': {
    const { Decrypter } = await load('age-encryption')
    const decrypter = new Decrypter()
    decrypter.addIdentity(argument)
    process.stdout.write(await decrypter.decrypt(fs.readFileSync(0)))
    break
  }
  case 'seal': {
    const { Encrypter } = await load('age-encryption')
    const encrypter = new Encrypter()
    encrypter.addRecipient(argument)
    process.stdout.write(await encrypter.encrypt(fs.readFileSync(0)))
    break
  }
  case 'recipient': {
    const { identityToRecipient } = await load('age-encryption')
    console.log(await identityToRecipient(argument))
    break
  }
  case 'vectors': {
    const all = await load('cctv-age')
    const names = Object.keys(all).filter(name => name.startsWith('hybrid')).sort()
    console.log(JSON.stringify(names.map(name => vector(name, Buffer.from(all[name])))))
    break
  }
  default:
    console.error('expected open, seal, recipient or vectors')
    process.exit(2)
}

/** One vector: a header of `key: value` lines, an empty line, the age file. */
function vector(name, octets) {
  const end = octets.indexOf('\n\n')
  const fields = octets.subarray(0, end).toString().split('\n').map(line => line.split(': '))
  const of = key => fields.filter(([k]) => k === key).map(([, value]) => value)
  let file = octets.subarray(end + 2)
  if (of('compressed')[0] === 'zlib') file = zlib.inflateSync(file)
  return { name, expect: of('expect')[0], identities: of('identity'), payload: of('payload')[0], file: file.toString('hex') }
}
