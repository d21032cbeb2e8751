//! How fast bundles are made, beside what they could be made with, in one run: the raw limit of the libraries (key generation and
//! signature), `openssl speed`, an `openssl` command loop, `esp-matter-mfg-tool` where tests/.judges/esp has it; and the peak memory
//! of both processes. `cargo bench --bench bundle -- 10000 100000` writes bundles of these sizes (`TMPDIR` says where).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods)]

#[allow(dead_code, reason = "the tests use the rest of it")]
#[path = "../tests/it/bundles/fixture.rs"]
mod fixture;

use anchorite::keys::many::{KeyPair, ManySigner, verify_all};
use anchorite::keys::{Algorithm, SigningKey};
use anchorite::strongroom::{Strongroom, process};
use fixture::{Kind, issuing};
use std::process::{Command, Stdio};
use std::time::Instant;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|word| word == process::ARGUMENT) {
        process::serve().unwrap();
        return;
    }
    let sizes: Vec<u32> = arguments.iter().filter_map(|word| word.parse().ok()).collect();
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as f64;
    println!("cores: {cores}; assembly: {}", anchorite::keys::many::fast_processor());
    println!("raw limit, graviola (key pair + its own signature): {:.0}/s on all cores", on_all(raw_graviola));
    println!("raw limit, p256 with tables (key pair + signature): {:.0}/s on all cores", on_all(raw_p256));
    println!("ours without records (key pair + RFC 6979 signature + verification): {:.0}/s on all cores", on_all(ours));
    println!("openssl speed ecdsap256: {:.0} signatures/s on one core", openssl_speed());
    let looped = openssl_loop(40);
    println!("openssl command loop (genpkey, req, x509): {looped:.1}/s");
    if let Some(mfg) = mfg_tool(20) {
        println!("esp-matter-mfg-tool: {mfg:.1}/s");
    }
    for count in if sizes.is_empty() { vec![10_000] } else { sizes } {
        // Before and after: the machine's own speed drifts by a third between minutes.
        let before = on_all(raw_graviola);
        let (rate, [own, child], busy) = bundle(count);
        let raw = f64::midpoint(before, on_all(raw_graviola));
        println!(
            "bundle of {count}: {rate:.0}/s, {:.0} % of the raw limit of {raw:.0}/s, {:.0} times the openssl loop; cores busy {:.0} %, {:.1} us of a core each; peak memory {own} + {child} KiB",
            100.0 * rate / raw,
            rate / looped,
            100.0 * busy / cores,
            1e6 * busy / rate
        );
    }
}

/// The sum of what every core gives when all of them work: two that share a cache or a core give less than twice one.
fn on_all(rate: fn() -> f64) -> f64 {
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(rate)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    })
}

fn per_second(count: u32, work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    f64::from(count) / start.elapsed().as_secs_f64()
}

fn material(n: u32) -> [u8; 64] {
    let mut material = [7; 64];
    material[..4].copy_from_slice(&n.to_be_bytes());
    material
}

fn raw_graviola() -> f64 {
    use graviola::signing::ecdsa::{P256, SigningKey as Fast};
    let issuer = SigningKey::from_material(Algorithm::EcdsaP256, &[7; 64]).unwrap().to_pkcs8_der().unwrap();
    let issuer = Fast::<P256>::from_pkcs8_der(issuer.expose()).unwrap();
    let count = 40_000;
    per_second(count, || {
        for n in 0..count {
            let pair = graviola::key_agreement::p256::StaticPrivateKey::from_bytes(&material(n)[..32]).unwrap();
            let point = pair.public_key_uncompressed();
            let mut signature = [0; 80];
            issuer.sign_asn1::<graviola::hashing::Sha256>(&[&point], &mut signature).unwrap();
        }
    })
}

fn raw_p256() -> f64 {
    use p256::ecdsa::signature::Signer as _;
    let issuer = p256::ecdsa::SigningKey::from_slice(&[7; 32]).unwrap();
    let count = 3_000;
    per_second(count, || {
        for n in 0..count {
            let pair = p256::SecretKey::from_slice(&material(n)[..32]).unwrap();
            let signature: p256::ecdsa::Signature = issuer.sign(&pair.public_key().to_sec1_bytes());
            std::hint::black_box(signature);
        }
    })
}

fn ours() -> f64 {
    let issuer = SigningKey::from_material(Algorithm::EcdsaP256, &[7; 64]).unwrap();
    let many = ManySigner::of(&issuer).unwrap();
    let count = 40_000;
    per_second(count, || {
        for part in 0..count / 1_000 {
            let pairs: Vec<KeyPair> =
                (0..1_000).map(|n| KeyPair::from_material(&material(part * 1_000 + n)).unwrap()).collect();
            let digests: Vec<[u8; 32]> =
                pairs.iter().map(|pair| *anchorite::basics::Digest::of(pair.point()).octets()).collect();
            let signed = many.sign(&digests).unwrap();
            verify_all(&many, signed, &pairs).unwrap();
        }
    })
}

/// Makes a bundle with a strongroom in a process of its own: identities a second, both peaks in KiB, and how many cores were busy with it.
fn bundle(count: u32) -> (f64, [u64; 2], f64) {
    let folder = tempfile::tempdir().unwrap();
    let kind = Kind { count, shard_records: 1_000, seconds: 86_400, ..Kind::default() };
    let mut room = issuing(Strongroom::start().unwrap(), &kind);
    let children = std::fs::read_to_string(format!("/proc/self/task/{}/children", std::process::id())).unwrap();
    let child = children.split_whitespace().max_by_key(|child| peak(child)).unwrap().to_owned();
    let before = worked("self") + worked(&child);
    let start = Instant::now();
    room.write(&folder.path().join("bundle")).unwrap();
    let seconds = start.elapsed().as_secs_f64();
    let busy = (worked("self") + worked(&child) - before) / seconds;
    (f64::from(count) / seconds, [peak("self"), peak(&child)], busy)
}

/// Seconds of processor time, the kernel's included.
fn worked(process: &str) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    let ticks: f64 = fields[11..13].iter().map(|ticks| ticks.parse::<f64>().unwrap()).sum();
    ticks / 100.0
}

fn peak(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn openssl_speed() -> f64 {
    let output = Command::new("openssl").args(["speed", "-seconds", "2", "ecdsap256"]).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.contains("nistp256")).unwrap_or_default();
    line.split_whitespace().nth_back(1).and_then(|word| word.parse().ok()).unwrap_or(0.0)
}

fn openssl(folder: &std::path::Path, line: &str) {
    let status = Command::new("openssl").args(line.split(' ')).current_dir(folder).stderr(Stdio::null()).status();
    assert!(status.unwrap().success(), "openssl {line}");
}

fn openssl_loop(count: u32) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let key = "genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out";
    openssl(at, &format!("{key} ca.key"));
    openssl(at, "req -x509 -new -key ca.key -subj /CN=ca -days 365 -out ca.crt");
    per_second(count, || {
        for n in 0..count {
            openssl(at, &format!("{key} d{n}.key"));
            openssl(at, &format!("req -new -key d{n}.key -subj /CN=d{n} -out d{n}.csr"));
            let sign = "-CA ca.crt -CAkey ca.key -CAcreateserial -days 365";
            openssl(at, &format!("x509 -req -in d{n}.csr {sign} -out d{n}.crt"));
        }
    })
}

/// Espressif's own tool, making DACs under a PAI of its own test set; nothing where tests/.judges/esp lacks it.
fn mfg_tool(count: u32) -> Option<f64> {
    let tool = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/.judges/esp/bin/esp-matter-mfg-tool");
    if !std::path::Path::new(tool).exists() {
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    openssl(at, "ecparam -name prime256v1 -genkey -noout -out paa.key");
    let oids = "oid_section=oids\n[oids]\nvid=1.3.6.1.4.1.37244.2.1\n[v]\nbasicConstraints=critical,CA:TRUE,pathlen:1\nkeyUsage=critical,keyCertSign,cRLSign\n\
                subjectKeyIdentifier=hash\n[i]\nbasicConstraints=critical,CA:TRUE,pathlen:0\n\
                keyUsage=critical,keyCertSign,cRLSign\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n\
                [req]\ndistinguished_name=dn\nprompt=no\n[dn]\nCN=PAA\n[pai]\nCN=PAI\nvid=FFF1\n";
    std::fs::write(at.join("c"), oids).unwrap();
    openssl(at, "req -x509 -new -key paa.key -config c -extensions v -days 40000 -out paa.pem");
    openssl(at, "ecparam -name prime256v1 -genkey -noout -out pai.key");
    std::fs::write(at.join("p"), oids.replace("distinguished_name=dn", "distinguished_name=pai")).unwrap();
    openssl(at, "req -new -key pai.key -config p -out pai.csr");
    openssl(
        at,
        "x509 -req -in pai.csr -CA paa.pem -CAkey paa.key -CAcreateserial -extfile c -extensions i -days 40000 -out pai.pem",
    );
    let count_text = count.to_string();
    let mut made = true;
    let rate = per_second(count, || {
        let output = Command::new(tool)
            .args(["-v", "0xFFF1", "-p", "0x8000", "-n", &count_text, "--pai", "-k", "pai.key", "-c", "pai.pem"])
            .args(["--outdir", "out"])
            .current_dir(at)
            .output()
            .unwrap();
        if !output.status.success() {
            eprintln!("esp-matter-mfg-tool: {}", String::from_utf8_lossy(&output.stderr));
            made = false;
        }
    });
    made.then_some(rate)
}
