// A third opinion by Node's OpenSSL (3.5 or newer) on post-quantum roots and their revocation lists: signatures, and that key
// and signature name one algorithm. usage: node judge_pq.mjs ROOT.crt.pem [CRL.pem]
import crypto from 'node:crypto'
import fs from 'node:fs'

/** The values inside one DER SEQUENCE. */
function values(der) {
  const found = []
  let [at, end] = content(der, 0)
  if (end !== der.length) throw Error('octets after the value')
  while (at < end) {
    const [, next] = content(der, at)
    found.push(der.subarray(at, next))
    at = next
  }
  return found
}

/** Where the content of the value at `at` begins, and where the value ends. */
function content(der, at) {
  let length = der[at + 1]
  let begin = at + 2
  if (length & 0x80) {
    const octets = length & 0x7f
    length = der.subarray(begin, begin + octets).reduce((sum, octet) => sum * 256 + octet, 0)
    begin += octets
  }
  return [begin, begin + length]
}

const pem = path => Buffer.from(fs.readFileSync(path, 'latin1').replace(/-----[^-]+-----|\s/g, ''), 'base64')

/** Verifies the outer signature of a certificate or a list under a key, and that both AlgorithmIdentifiers are the same. */
function verified(der, key) {
  const [tbs, algorithm, bits] = values(der)
  const signature = bits.subarray(content(bits, 0)[0] + 1)
  if (!values(tbs).some(inner => inner.equals(algorithm))) throw Error('another algorithm inside than outside')
  return crypto.verify(null, tbs, key, signature)
}

const [root, list] = process.argv.slice(2)
const certificate = new crypto.X509Certificate(fs.readFileSync(root))
const key = certificate.publicKey
if (!/^(ml|slh)-dsa/.test(key.asymmetricKeyType)) throw Error(`expected a post-quantum key, found ${key.asymmetricKeyType}`)
if (!certificate.ca) throw Error('expected an authority')
if (!certificate.checkIssued(certificate)) throw Error('expected a root that names itself as issuer')
if (!certificate.verify(key) || !verified(pem(root), key)) throw Error('the root does not verify under its own key')
if (list && !verified(pem(list), key)) throw Error('the list does not verify under the key of the root')
console.log(`node: ${key.asymmetricKeyType} ${list ? 'root and CRL verify' : 'root verifies'} (OpenSSL ${process.versions.openssl})`)
