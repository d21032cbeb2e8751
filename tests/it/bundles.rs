//! Bundles from order to folder, and everything that can be done to one afterwards.

mod exports;
pub mod fixture;
mod judged;
mod requested;

use anchorite::basics::{Digest, Secret};
use anchorite::bundles::{BundleError, check};
use anchorite::factory::record::DeviceKey;
use anchorite::factory::shard::Records;
use anchorite::factory::{Class, Manifest, Record, merkle};
use anchorite::keys::ssh::allowed_signers;
use anchorite::keys::{Algorithm, SigningKey};
use anchorite::pki::Certificate;
use anchorite::pki::certificate::build_tbs;
use anchorite::pki::serial;
use anchorite::strongroom::Strongroom;
use anchorite::strongroom::protocol::{Request, Response};
use fixture::{Kind, REALM, bundle, issuing, open, profile, sign, signers};
use std::path::{Path, PathBuf};

fn records(folder: &Path, manifest: &Manifest) -> Vec<Record> {
    (0..manifest.shards())
        .flat_map(|shard| {
            let plain = open(folder, shard);
            let records = Records::open(&plain).unwrap();
            records.header().expect(&manifest.shard_header(shard)).unwrap();
            records.map(Result::unwrap).collect::<Vec<_>>()
        })
        .collect()
}

/// Every record against the general builder, the issuer's key, the leaves and the key itself.
fn every_record_holds(kind: &Kind) {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    let mut room = issuing(Strongroom::in_process(), kind);
    let written = room.write(&out).unwrap();
    let leaves = std::fs::read(out.join("leaves.bin")).unwrap();
    let records = records(&out, &written.manifest);
    assert_eq!(records.len(), kind.count as usize);
    for (n, record) in records.iter().enumerate() {
        let certificate = Certificate::parse(&record.certificate).unwrap();
        certificate.verify(&room.issuer).unwrap();
        let serial = serial::of(&room.terms.serial_seed, record.index).unwrap();
        let request = room.terms.request(
            &room.issuer,
            &profile(kind.profile),
            record.device.as_str(),
            certificate.subject_key().clone(),
            serial,
            Some(record.lineage.digest()),
        );
        assert_eq!(certificate.tbs_der(), build_tbs(&request).unwrap(), "the template says what the builder says");
        let _clean = anchorite::pki::lint::lint_certificate(&record.certificate, &request).unwrap();
        let DeviceKey::Pkcs8(key) = &record.key else { panic!("no key") };
        let pem = Secret::take_text(format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            base64(key.expose())
        ));
        let key = SigningKey::from_pkcs8_pem(pem.expose()).unwrap();
        assert_eq!(Some(&key.public_key()), certificate.public_key());
        let leaf = merkle::leaf(record.digest(REALM).octets());
        assert_eq!(leaf.octets(), &leaves[n * 32..][..32]);
    }
    let keys: std::collections::BTreeSet<_> =
        records.iter().map(|r| Certificate::parse(&r.certificate).unwrap().subject_key().spki_der().to_vec()).collect();
    assert_eq!(keys.len(), records.len(), "no key twice");
    check(&out, None, 0).unwrap();
}

fn base64(octets: &[u8]) -> String {
    let text = data_encoding::BASE64.encode(octets);
    text.as_bytes().chunks(64).map(|line| String::from_utf8_lossy(line).into_owned()).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_certificate_of_a_bundle_is_what_the_general_builder_makes() {
    every_record_holds(&Kind { count: 1_030, shard_records: 250, ..Kind::default() });
}

#[test]
fn matter_certificates_stay_within_600_octets_and_hold() {
    every_record_holds(&Kind::matter());
}

#[test]
fn other_algorithms_of_devices_and_issuers_hold() {
    let ldevid = Kind { profile: "ldevid", ..Kind::default() };
    every_record_holds(&Kind { device: Algorithm::Ed25519, ..ldevid.clone() });
    every_record_holds(&Kind { issuer: Algorithm::EcdsaP384, ..ldevid.clone() });
    every_record_holds(&Kind { device: Algorithm::EcdsaP384, issuer: Algorithm::Ed25519, ..ldevid });
}

#[test]
fn listed_devices_of_different_lengths_get_theirs() {
    let listed = vec!["9f3c", "9f3c01", "A", "B", "9f3c02", "lamp-with-a-long-name:1", "9f3d"];
    every_record_holds(&Kind { count: 7, shard_records: 3, listed: Some(listed), ..Kind::default() });
}

#[test]
fn the_same_seed_gives_the_same_certificates_and_leaves() {
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, seed: u64| {
        let out = folder.path().join(name);
        bundle(&Kind { seed, ..Kind::default() }, &out);
        (std::fs::read(out.join("leaves.bin")).unwrap(), open(&out, 1))
    };
    let (first, again, other) = (read("a", 7), read("b", 7), read("c", 8));
    assert!(first == again);
    assert!(first != other);
}

#[test]
fn a_strongroom_makes_each_shard_once_in_order_and_only_the_approved_batch() {
    let kind = Kind { count: 20, ..Kind::default() };
    let refused = |room: &mut Strongroom, request: Request| match room.ask(request, None).unwrap().0 {
        Response::Refused { reason } => reason,
        other => panic!("{other:?}"),
    };
    let open = |room: &fixture::Issuing| Request::OpenBatch {
        authority: "issuing".to_owned(),
        issuer: fixture::hex(room.issuer.der()),
        terms: Box::new(room.terms.clone()),
        digest: room.terms.digest().unwrap(),
    };
    let shard = |first| Request::IssueShards { first, count: 1, devices: Vec::new() };

    let mut room = issuing(Strongroom::in_process(), &kind);
    let mut more = issuing(Strongroom::in_process(), &kind).terms;
    more.count = 21;
    let other = Request::OpenBatch {
        authority: "issuing".to_owned(),
        issuer: fixture::hex(room.issuer.der()),
        digest: more.digest().unwrap(),
        terms: Box::new(more.clone()),
    };
    assert!(refused(&mut room.strongroom, other).contains("not on the list"), "one device more is another batch");
    let swapped = Request::OpenBatch {
        authority: "issuing".to_owned(),
        issuer: fixture::hex(room.issuer.der()),
        digest: room.terms.digest().unwrap(),
        terms: Box::new(more),
    };
    assert!(refused(&mut room.strongroom, swapped).contains("not what was approved"));
    assert!(refused(&mut room.strongroom, shard(0)).contains("no batch is open"));
    let request = open(&room);
    assert!(matches!(room.strongroom.ask(request, None).unwrap().0, Response::BatchOpened { shards: 2 }));
    let request = open(&room);
    assert!(refused(&mut room.strongroom, request).contains("one session makes one"));
    assert!(refused(&mut room.strongroom, shard(1)).contains("expected shard 0"));
    let three = Request::IssueShards { first: 0, count: 3, devices: Vec::new() };
    assert!(refused(&mut room.strongroom, three).contains("expected 1 to 2 shards to be asked for at once, found 3"));
    assert!(matches!(room.strongroom.ask(shard(0), None).unwrap().0, Response::ShardIssued { .. }));
    assert!(refused(&mut room.strongroom, shard(0)).contains("expected shard 1"));
    assert!(matches!(room.strongroom.ask(shard(1), None).unwrap().0, Response::ShardIssued { .. }));
    assert!(refused(&mut room.strongroom, shard(2)).contains("shard 2"), "the count is used up");

    let mut late = issuing(Strongroom::in_process(), &Kind { seconds: 1, ..kind.clone() });
    let request = open(&late);
    late.strongroom.ask(request, None).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(2_100));
    assert!(refused(&mut late.strongroom, shard(0)).contains("time of this batch was over"));

    let listed = Kind { count: 2, listed: Some(vec!["a1", "a2"]), ..kind };
    let mut room = issuing(Strongroom::in_process(), &listed);
    let request = open(&room);
    room.strongroom.ask(request, None).unwrap();
    let ids = ["a1", "a3"].map(|id| anchorite::factory::DeviceId::parse(id).unwrap().into()).to_vec();
    let wrong = Request::IssueShards { first: 0, count: 1, devices: ids };
    assert!(refused(&mut room.strongroom, wrong).contains("devices of shard 0"));
}

#[test]
fn listed_hardware_is_what_was_approved_and_in_the_lineage_that_the_certificate_commits_to() {
    let kind =
        Kind { count: 3, shard_records: 2, listed: Some(vec!["a1", "a2", "a3"]), hardware: true, ..Kind::default() };
    // Another id, another kind, ids of the other device, none: not the approved list.
    let approved = issuing(Strongroom::in_process(), &kind).listed[..2].to_vec();
    let with = |n: usize, ids: &[(&str, &str)]| {
        let mut devices = approved.clone();
        devices[n].hardware = ids.iter().map(|(kind, id)| ((*kind).to_owned(), (*id).to_owned())).collect();
        devices
    };
    for devices in [
        with(1, &[("soc", "9F3C:7")]),
        with(1, &[("lot", "9F3C:1")]),
        with(0, &[]),
        with(1, &[("soc", "9F3C:1"), ("lot", "7")]),
    ] {
        let mut room = issuing(Strongroom::in_process(), &kind);
        let request = Request::OpenBatch {
            authority: "issuing".to_owned(),
            issuer: fixture::hex(room.issuer.der()),
            terms: Box::new(room.terms.clone()),
            digest: room.terms.digest().unwrap(),
        };
        room.strongroom.ask(request, None).unwrap();
        let wrong = Request::IssueShards { first: 0, count: 1, devices };
        let refused = room.strongroom.ask(wrong, None).unwrap().0;
        let Response::Refused { reason } = refused else { panic!("{refused:?}") };
        assert!(reason.contains("devices of shard 0"), "{reason}");
    }
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    let written = bundle(&kind, &out);
    let found = records(&out, &written.manifest);
    for (n, record) in found.iter().enumerate() {
        assert_eq!(record.lineage.hardware, [("soc".to_owned(), format!("9F3C:{n}"))].into());
        let certificate = anchorite::pki::Certificate::parse(&record.certificate).unwrap();
        let committed = record.lineage.digest();
        assert!(certificate.der().windows(32).any(|octets| octets == committed.octets()), "{n}");
    }
    let without = Kind { hardware: false, ..kind.clone() };
    let terms = |kind: &Kind| issuing(Strongroom::in_process(), kind).terms;
    assert_ne!(terms(&without).devices, terms(&kind).devices, "hardware ids are in the digests that are approved");
}

#[test]
fn a_folder_of_that_name_or_a_half_written_one_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    bundle(&Kind::default(), &out);
    let again = issuing(Strongroom::in_process(), &Kind::default()).write(&out);
    assert!(again.unwrap_err().to_string().contains("expected no file or folder of this name"));
    let half = folder.path().join("half");
    std::fs::create_dir(folder.path().join(".half.partial")).unwrap();
    assert!(issuing(Strongroom::in_process(), &Kind::default()).write(&half).is_err());
    assert!(!half.exists());
    let names: Vec<_> = std::fs::read_dir(&out).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().starts_with(".run-")), "{names:?}");
}

/// What is done to a bundle, and the refusal that follows: its class and what it names.
type Case<'c, T> = (&'c str, &'c dyn Fn(&T), Class, &'c str);

/// A bundle to spoil: what is wrong with it afterwards.
struct Spoilt {
    _folder: tempfile::TempDir,
    out: PathBuf,
}

impl Spoilt {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let out = folder.path().join("bundle");
        bundle(&Kind::default(), &out);
        Self { _folder: folder, out }
    }

    fn refusal(&self) -> (Class, String) {
        let trusted = allowed_signers::parse(&signers(&["anna", "bo"])).unwrap();
        match check(&self.out, Some(&trusted), 2) {
            Err(BundleError::Refused(refusal)) => (refusal.class, refusal.what),
            other => panic!("{other:?}"),
        }
    }

    /// Changes the manifest and has both sign it anew: what only the rest of the bundle can give away.
    fn manifest(&self, change: impl FnOnce(&mut serde_json::Value)) {
        let path = self.out.join("manifest.json");
        let mut value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        change(&mut value);
        std::fs::write(&path, anchorite::basics::canonical::to_octets(&value).unwrap()).unwrap();
        sign(&self.out, "anna");
        sign(&self.out, "bo");
    }

    /// Replaces a file and lets the manifest say so.
    fn listed(&self, name: &str, octets: &[u8]) {
        std::fs::write(self.out.join(name), octets).unwrap();
        self.manifest(|manifest| {
            for file in manifest["files"].as_array_mut().unwrap() {
                if file["name"] == name {
                    file["sha256"] = Digest::of(octets).hex().into();
                    file["size"] = octets.len().into();
                }
            }
        });
    }

    fn read(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.out.join(name)).unwrap()
    }
}

#[test]
fn a_whole_bundle_checks_and_its_signers_are_named() {
    let whole = Spoilt::new();
    let trusted = allowed_signers::parse(&signers(&["anna", "bo", "carl"])).unwrap();
    let checked = check(&whole.out, Some(&trusted), 2).unwrap();
    assert_eq!(checked.signed_by, ["anna", "bo"]);
    assert_eq!(checked.signatures, 2);
    assert!(checked.issuer.contains("subca-device"), "{}", checked.issuer);
    assert!(check(&whole.out, None, 0).unwrap().signed_by.is_empty());
    assert!(
        matches!(check(&whole.out, Some(&trusted), 3), Err(BundleError::Refused(r)) if r.class == Class::TooFewSignatures)
    );
}

#[test]
fn each_changed_octet_of_a_listed_file_is_named() {
    for name in ["leaves.bin", "index.cbor", "chain.pem", "crl.pem", "shards/00001.age"] {
        for place in ["first", "middle", "last"] {
            let spoilt = Spoilt::new();
            let mut octets = spoilt.read(name);
            let at = match place {
                "first" => 0,
                "middle" => octets.len() / 2,
                _ => octets.len() - 1,
            };
            octets[at] ^= 1;
            std::fs::write(spoilt.out.join(name), octets).unwrap();
            assert_eq!(spoilt.refusal(), (Class::Tampered, name.to_owned()), "{place}");
        }
    }
}

#[test]
fn files_too_many_missing_or_cut_are_named() {
    let cases: [Case<'_, Path>; 6] = [
        ("a file more", &|out| std::fs::write(out.join("extra"), b"").unwrap(), Class::Foreign, "folder"),
        ("a shard more", &|out| std::fs::write(out.join("shards/00003.age"), b"").unwrap(), Class::Foreign, "folder"),
        (
            "a shard less",
            &|out| std::fs::remove_file(out.join("shards/00002.age")).unwrap(),
            Class::Count,
            "shards/00002.age",
        ),
        ("no manifest", &|out| std::fs::remove_file(out.join("manifest.json")).unwrap(), Class::Count, "manifest.json"),
        (
            "a shard cut",
            &|out| std::fs::write(out.join("shards/00000.age"), b"age").unwrap(),
            Class::Tampered,
            "shards/00000.age",
        ),
        (
            "shards swapped",
            &|out| {
                std::fs::rename(out.join("shards/00000.age"), out.join("x")).unwrap();
                std::fs::rename(out.join("shards/00001.age"), out.join("shards/00000.age")).unwrap();
                std::fs::rename(out.join("x"), out.join("shards/00001.age")).unwrap();
            },
            Class::Tampered,
            "shards/00000.age",
        ),
    ];
    for (name, spoil, class, what) in cases {
        let spoilt = Spoilt::new();
        spoil(&spoilt.out);
        assert_eq!(spoilt.refusal(), (class, what.to_owned()), "{name}");
    }
    let linked = Spoilt::new();
    let shard = linked.out.join("shards/00000.age");
    std::fs::rename(&shard, linked.out.parent().unwrap().join("elsewhere")).unwrap();
    std::os::unix::fs::symlink(linked.out.parent().unwrap().join("elsewhere"), &shard).unwrap();
    assert!(matches!(check(&linked.out, None, 0), Err(BundleError::File(_))), "a link");
}

#[test]
fn a_manifest_that_was_signed_anew_does_not_hide_what_was_changed() {
    let cases: [Case<'_, Spoilt>; 9] = [
        (
            "another root",
            &|s| s.manifest(|m| m["records_root"] = "00".repeat(32).into()),
            Class::Tampered,
            "records root",
        ),
        (
            "leaves of other records",
            &|s| {
                let mut leaves = s.read("leaves.bin");
                leaves.swap(0, 32);
                s.listed("leaves.bin", &leaves);
            },
            Class::Tampered,
            "records root",
        ),
        (
            "rows out of order",
            &|s| {
                let mut index = s.read("index.cbor");
                let (a, b) = (index[50..124].to_vec(), index[124..198].to_vec());
                index[50..124].copy_from_slice(&b);
                index[124..198].copy_from_slice(&a);
                s.listed("index.cbor", &index);
            },
            Class::Malformed,
            "index.cbor: row 1",
        ),
        (
            "a row of another record's shard",
            &|s| {
                let mut index = s.read("index.cbor");
                index[50 + 2 + 32 + 3] ^= 1;
                s.listed("index.cbor", &index);
            },
            Class::Foreign,
            "index.cbor: row 0",
        ),
        (
            "a row with another leaf",
            &|s| {
                let mut index = s.read("index.cbor");
                index[123] ^= 1;
                s.listed("index.cbor", &index);
            },
            Class::Foreign,
            "index.cbor: row 0",
        ),
        (
            "the index of another bundle",
            &|s| {
                let mut index = s.read("index.cbor");
                index[18] ^= 1;
                s.listed("index.cbor", &index);
            },
            Class::Foreign,
            "index.cbor: bundle",
        ),
        ("another issuer", &|s| s.manifest(|m| m["issuer"] = "00".repeat(32).into()), Class::Chain, "chain.pem"),
        (
            "another list",
            &|s| {
                let chain = s.read("chain.pem");
                s.listed("crl.pem", &chain);
            },
            Class::Malformed,
            "crl.pem",
        ),
        (
            "given out after the certificates' end",
            &|s| s.manifest(|m| m["expires"] = (m["certificates"]["not_after"].as_u64().unwrap() + 1).into()),
            Class::Malformed,
            "manifest.json: expires",
        ),
    ];
    for (name, spoil, class, what) in cases {
        let spoilt = Spoilt::new();
        spoil(&spoilt);
        assert_eq!(spoilt.refusal(), (class, what.to_owned()), "{name}");
    }
}

#[test]
fn signatures_of_others_or_over_other_octets_do_not_count() {
    let spoilt = Spoilt::new();
    std::fs::rename(spoilt.out.join("manifest.json.bo.sig"), spoilt.out.join("manifest.json.carl.sig")).unwrap();
    sign(&spoilt.out, "mallory");
    let trusted = allowed_signers::parse(&signers(&["anna", "bo"])).unwrap();
    let checked = check(&spoilt.out, Some(&trusted), 2).unwrap();
    assert_eq!(checked.signed_by, ["anna", "bo"], "whose it is says the key, not the name of the file");

    let spoilt = Spoilt::new();
    std::fs::remove_file(spoilt.out.join("manifest.json.bo.sig")).unwrap();
    sign(&spoilt.out, "mallory");
    assert_eq!(spoilt.refusal(), (Class::TooFewSignatures, "manifest.json".to_owned()));

    let spoilt = Spoilt::new();
    let anna = spoilt.read("manifest.json.anna.sig");
    std::fs::write(spoilt.out.join("manifest.json.bo.sig"), anna).unwrap();
    assert_eq!(
        spoilt.refusal().0,
        Class::BadSignature,
        "a file with the name of somebody listed holds their signature"
    );

    let spoilt = Spoilt::new();
    let path = spoilt.out.join("manifest.json");
    let text = std::fs::read_to_string(&path).unwrap().replacen("ostrava", "brno-st", 1);
    std::fs::write(&path, text).unwrap();
    assert_eq!(spoilt.refusal(), (Class::BadSignature, "manifest.json.anna.sig".to_owned()));
}

/// The independent script of `media/`, written from the specification; its exit code and what it said.
fn python(arguments: &[&str]) -> (i32, String) {
    let script = crate::program::root().join("media/bundle.py");
    let output = std::process::Command::new("python3").arg(script).args(arguments).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.code().unwrap(), String::from_utf8_lossy(&said).trim().to_owned())
}

#[test]
fn the_python_verifier_agrees_on_whole_bundles_proofs_and_leaves() {
    let whole = Spoilt::new();
    let out = whole.out.to_str().unwrap();
    assert_eq!(python(&["check", out]).0, 0);
    let manifest = Manifest::parse(&whole.read("manifest.json")).unwrap();
    let path = whole.out.parent().unwrap().join("proof.json");
    let proof_file = path.to_str().unwrap();
    for record in records(&whole.out, &manifest) {
        let proof = anchorite::bundles::prove(&whole.out, &record.device).unwrap().unwrap();
        assert_eq!(proof.record, record.index);
        std::fs::write(&path, serde_json::to_string(&proof).unwrap()).unwrap();
        let (code, said) = python(&["prove", out, proof_file]);
        assert_eq!(code, 0, "{said}");
        let (certificate, lineage) = (path.with_extension("der"), path.with_extension("cbor"));
        std::fs::write(&certificate, &record.certificate).unwrap();
        std::fs::write(&lineage, record.lineage.to_octets()).unwrap();
        let (bundle, index) = (manifest.bundle.hex(), record.index.to_string());
        let device = record.device.as_str();
        let files = [certificate.to_str().unwrap(), lineage.to_str().unwrap()];
        let (_, leaf) = python(&["leaf", "rehearsal", &bundle, &index, device, files[0], files[1]]);
        assert_eq!(leaf, proof.leaf.hex());
    }
    let other = anchorite::factory::DeviceId::parse("LAMP-00000026").unwrap();
    assert_eq!(anchorite::bundles::prove(&whole.out, &other).unwrap(), None);

    let text = std::fs::read_to_string(&path).unwrap();
    let sibling = text.split("\"siblings\":[\"").nth(1).unwrap()[..64].to_owned();
    std::fs::write(&path, text.replace(&sibling, &"0".repeat(64))).unwrap();
    assert_eq!(python(&["prove", out, proof_file]).0, 4, "a wrong sibling");
    let mut leaves = whole.read("leaves.bin");
    leaves.swap(0, 32);
    whole.listed("leaves.bin", &leaves);
    assert_eq!(python(&["check", out]).0, 4);
    assert!(anchorite::bundles::prove(&whole.out, &other).is_ok());
}

#[test]
fn the_verb_checks_and_says_whose_signatures_it_found() {
    use crate::program::{anchorite, code};
    let stdout = |output: &std::process::Output| String::from_utf8_lossy(&output.stdout).into_owned();
    let stderr = |output: &std::process::Output| String::from_utf8_lossy(&output.stderr).into_owned();
    let whole = Spoilt::new();
    let trusted = whole.out.parent().unwrap().join("signers");
    std::fs::write(&trusted, signers(&["anna", "bo"])).unwrap();
    let (out, trusted) = (whole.out.to_str().unwrap(), trusted.to_str().unwrap());
    let good = anchorite(&["bundle", "check", out, "--signers", trusted, "--threshold", "2"]);
    assert_eq!(code(&good), 0, "{}", stderr(&good));
    assert!(stdout(&good).contains("signed by anna, bo"), "{}", stdout(&good));
    assert_eq!(code(&anchorite(&["bundle", "check", out])), 8, "nothing pinned");
    let json = anchorite(&["bundle", "check", out, "--signers", trusted, "--json"]);
    let value: serde_json::Value = serde_json::from_str(&stdout(&json)).unwrap();
    assert_eq!(value["manifest"]["count"], 25);
    let proof = anchorite(&["bundle", "prove", out, "LAMP-00000001", "--json"]);
    let value: serde_json::Value = serde_json::from_str(&stdout(&proof)).unwrap();
    assert_eq!(value["record"], 0);
    assert_eq!(code(&anchorite(&["bundle", "prove", out, "LAMP-1"])), 4);
    std::fs::write(whole.out.join("leaves.bin"), b"").unwrap();
    let bad = anchorite(&["bundle", "check", out, "--signers", trusted]);
    assert_eq!(code(&bad), 4);
    assert!(stderr(&bad).contains("leaves.bin: expected 800 octets, found 0 octets (tampered)"), "{}", stderr(&bad));
}

#[test]
fn post_quantum_devices_hold() {
    every_record_holds(&Kind {
        count: 6,
        shard_records: 4,
        profile: "device-pq",
        device: Algorithm::MlDsa44,
        ..Kind::default()
    });
}

#[test]
fn a_bundle_on_several_media_is_the_same_put_together() {
    use anchorite::bundles::{join, split};
    let whole = Spoilt::new();
    let above = whole.out.parent().unwrap();
    let media: Vec<PathBuf> = ["a", "b", "c", "d"].iter().map(|name| above.join(name)).collect();
    media.iter().for_each(|medium| std::fs::create_dir(medium).unwrap());
    let few = split(&whole.out, &media[..1], Some(12_000)).unwrap_err().to_string();
    assert!(few.contains("too few"), "{few}");
    assert_eq!(std::fs::read_dir(&media[0]).unwrap().count(), 0, "nothing was written");
    let parts = split(&whole.out, &media, Some(12_000)).unwrap();
    assert!(parts.len() > 1, "{parts:?}");
    let folders: Vec<PathBuf> = parts.iter().map(|part| part.folder.clone()).collect();
    let missing = join(&folders[1..], &above.join("short")).unwrap_err();
    assert!(matches!(&missing, BundleError::Refused(refusal) if refusal.class == Class::Count), "{missing}");
    assert!(!above.join("short").exists());
    join(&folders, &above.join("again")).unwrap();
    let trusted = allowed_signers::parse(&signers(&["anna", "bo"])).unwrap();
    check(&above.join("again"), Some(&trusted), 2).unwrap();
    for name in ["manifest.json", "leaves.bin", "index.cbor", "shards/00002.age", "manifest.json.bo.sig"] {
        assert_eq!(std::fs::read(above.join("again").join(name)).unwrap(), whole.read(name), "{name}");
    }
    let other = above.join("other");
    bundle(&Kind { seed: 8, ..Kind::default() }, &other);
    let mixed = join(&[folders.clone(), vec![other]].concat(), &above.join("mixed")).unwrap_err();
    assert!(matches!(&mixed, BundleError::Refused(refusal) if refusal.class == Class::Foreign), "{mixed}");
    let mut leaves = whole.read("leaves.bin");
    leaves[0] ^= 1;
    let holder = folders.iter().find(|folder| folder.join("leaves.bin").exists()).unwrap();
    std::fs::write(holder.join("leaves.bin"), leaves).unwrap();
    let spoilt = join(&folders, &above.join("spoilt")).unwrap_err();
    assert!(matches!(&spoilt, BundleError::Refused(refusal) if refusal.class == Class::Tampered), "{spoilt}");
    assert!(!above.join("spoilt").exists());
}
