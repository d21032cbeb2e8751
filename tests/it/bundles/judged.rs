//! Device certificates as batches issue them, of every device profile and every algorithm of a device's key, before pkilint; ten thousand of one
//! batch before our own lint. In the full suite only: they are minutes of other people's programs.

use super::fixture::{Issuing, Kind, issuing, profile};
use super::records;
use anchorite::bundles::check;
use anchorite::factory::Record;
use anchorite::keys::Algorithm;
use anchorite::pki::{Certificate, lint, serial};
use anchorite::strongroom::Strongroom;
use std::path::Path;
use std::process::Command;

/// Every profile of a device, with each algorithm it may be ordered with.
fn kinds() -> Vec<Kind> {
    let kind = |profile, device| Kind { count: 3, profile, device, ..Kind::default() };
    let post_quantum =
        |device| Kind { issuer_profile: "subca-device-pq", issuer: Algorithm::MlDsa65, ..kind("device-pq", device) };
    let mut kinds = vec![
        kind("idevid", Algorithm::EcdsaP256),
        kind("idevid", Algorithm::EcdsaP384),
        Kind { count: 3, ..Kind::matter() },
        // A classical authority certifies post-quantum devices too.
        kind("device-pq", Algorithm::MlDsa44),
        post_quantum(Algorithm::MlDsa44),
        post_quantum(Algorithm::MlDsa65),
        post_quantum(Algorithm::MlDsa87),
    ];
    for device in [Algorithm::EcdsaP256, Algorithm::EcdsaP384, Algorithm::Ed25519] {
        kinds.extend([kind("ldevid", device), kind("tls-client", device)]);
    }
    kinds
}

fn issued(kind: &Kind, out: &Path) -> (Issuing, Vec<Record>) {
    let mut room = issuing(Strongroom::in_process(), kind);
    let written = room.write(out).unwrap();
    let records = records(out, &written.manifest);
    assert_eq!(records.len(), kind.count as usize);
    (room, records)
}

/// Our lint, against the general request of each.
fn lints_clean(kind: &Kind, room: &Issuing, records: &[Record]) {
    let profile = profile(kind.profile);
    for record in records {
        let certificate = Certificate::parse(&record.certificate).unwrap();
        let serial = serial::of(&room.terms.serial_seed, record.index).unwrap();
        let (device, key) = (record.device.as_str(), certificate.subject_key().clone());
        let lineage = Some(record.lineage.digest());
        let request = room.terms.request(&room.issuer, &profile, device, key, serial, lineage);
        let verdict = lint::lint_certificate(&record.certificate, &request).map(|_| ());
        assert_eq!(verdict, Ok(()), "{} {device}", kind.profile);
        certificate.verify(&room.issuer).unwrap();
    }
}

fn write(folder: &Path, name: &str, der: &[u8]) {
    let pem = anchorite::pki::pem::to_pem("CERTIFICATE", der).unwrap();
    std::fs::write(folder.join(format!("{name}.crt.pem")), pem).unwrap();
}

/// pkilint at WARNING, in one process over all of a folder; a missing judge is a failure.
fn pkilint(folder: &Path) -> (bool, String) {
    let root = crate::program::root();
    let python = root.join("tests/.judges/venv/bin/python");
    let output =
        Command::new(python).arg(root.join("tests/judge_chains.py")).arg("--lint").arg(folder).output().unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn pkilint_finds_nothing_in_devices_of_every_profile_and_algorithm() {
    let folder = tempfile::tempdir().unwrap();
    let samples = folder.path().join("samples");
    std::fs::create_dir(&samples).unwrap();
    let kinds = if crate::program::full() { kinds() } else { kinds().drain(2..5).collect() };
    for (n, kind) in kinds.iter().enumerate() {
        let out = folder.path().join(format!("bundle-{n}"));
        let (room, records) = issued(kind, &out);
        lints_clean(kind, &room, &records);
        check(&out, None, 0).unwrap();
        let name = format!("{}.{}.{n}", kind.profile, kind.device.word());
        for record in &records {
            write(&samples, &format!("{name}.{}", record.index), &record.certificate);
        }
        let chain = std::fs::read_to_string(out.join("chain.pem")).unwrap();
        for (above, der) in anchorite::factory::export::chain_of(&chain).unwrap().iter().enumerate() {
            write(&samples, &format!("{name}.above-{above}"), der);
        }
    }
    if !crate::program::full() {
        return;
    }
    let (clean, said) = pkilint(&samples);
    assert!(clean, "{said}");
    // The same judge must find what is planted.
    let planted = std::fs::read(crate::program::root().join("tests/vectors/inspect/aki-critical.pem")).unwrap();
    std::fs::write(samples.join("planted.crt.pem"), planted).unwrap();
    let (clean, said) = pkilint(&samples);
    assert!(!clean && said.contains("FOUND  planted.crt.pem"), "{said}");
}

#[test]
fn ten_thousand_certificates_of_a_batch_are_linted_and_hundreds_of_them_by_pkilint() {
    if !crate::program::full() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let samples = folder.path().join("samples");
    std::fs::create_dir(&samples).unwrap();
    let kind = Kind { count: 10_000, shard_records: 1_000, ..Kind::default() };
    let (room, records) = issued(&kind, &folder.path().join("bundle"));
    lints_clean(&kind, &room, &records);
    for record in records.iter().step_by(25) {
        write(&samples, record.device.as_str(), &record.certificate);
    }
    let (clean, said) = pkilint(&samples);
    assert!(clean && said.contains("400 certificates, 0 with findings"), "{said}");
}
