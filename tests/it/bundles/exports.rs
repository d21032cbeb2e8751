//! Exports, read by the tools they are for.

use super::fixture::{Kind, bundle, issuing};
use anchorite::basics::{Digest, Instant, Realm, Secret};
use anchorite::factory::Record;
use anchorite::factory::export::cloud::aws_iot_line;
use anchorite::factory::export::element::{Signer, element};
use anchorite::factory::export::{CSV_HEADER, ExportedFile, Form, Made, Options, Password, Protection, csv_line};
use anchorite::keys::{Algorithm, SigningKey};
use anchorite::pki::{Certificate, Subject, certificate};
use anchorite::strongroom::Strongroom;
use std::path::Path;
use std::process::Command;

fn files(form: &Form, record: &Record, chain: &str, options: &Options) -> Vec<ExportedFile> {
    match form.of(record, chain, options).unwrap() {
        Made::Folder(files) => files,
        Made::One(_) => panic!("one file"),
    }
}

fn options(text: &str) -> Options {
    Options::parse(format!("format = \"anchorite-export/1\"\n{text}").as_bytes()).unwrap()
}

fn run(program: &str, arguments: &[&str], folder: &Path) -> String {
    let output = Command::new(program).args(arguments).current_dir(folder).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    said
}

#[test]
fn openssl_reads_the_pem_files_and_follows_the_chain() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    let written = bundle(&Kind { count: 3, ..Kind::default() }, &out);
    let chain = std::fs::read_to_string(out.join("chain.pem")).unwrap();
    for record in super::records(&out, &written.manifest) {
        let at = tempfile::tempdir().unwrap();
        for file in files(&Form::Files, &record, &chain, &Options::default()) {
            std::fs::write(at.path().join(&file.name), file.octets.expose()).unwrap();
        }
        let of_key = run("openssl", &["pkey", "-in", "key.pem", "-pubout"], at.path());
        let of_certificate = run("openssl", &["x509", "-in", "certificate.pem", "-pubkey", "-noout"], at.path());
        assert_eq!(of_key, of_certificate);
        let blocks: Vec<&str> = chain.split_inclusive("-----END CERTIFICATE-----\n").collect();
        std::fs::write(at.path().join("issuer.pem"), blocks[0]).unwrap();
        std::fs::write(at.path().join("root.pem"), blocks[1]).unwrap();
        let verify = ["verify", "-attime", "1800000000", "-CAfile", "root.pem", "-untrusted", "issuer.pem"];
        run("openssl", &[&verify[..], &["certificate.pem"]].concat(), at.path());

        let line = csv_line(&record).unwrap();
        assert_eq!(line.split(',').count(), CSV_HEADER.split(',').count());
        assert!(line.starts_with(record.device.as_str()));
        let serial = run("openssl", &["x509", "-in", "certificate.pem", "-noout", "-serial"], at.path());
        let serial = serial.trim().trim_start_matches("serial=").to_lowercase();
        assert_eq!(line.split(',').nth(1), Some(serial.as_str()));
    }
}

#[test]
fn espressifs_generator_makes_a_partition_of_the_matter_files() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    let kind = Kind { count: 2, ..Kind::matter() };
    let written = issuing(Strongroom::in_process(), &kind).write(&out).unwrap();
    let chain = std::fs::read_to_string(out.join("chain.pem")).unwrap();
    let record = &super::records(&out, &written.manifest)[1];
    let said = options("vendor_name = \"Example, \\\"Lamps\\\"\"\nhw_ver = 3\nhw_ver_str = \"EVT-1\"\n");
    for file in files(&Form::EspMatter, record, &chain, &said) {
        std::fs::write(folder.path().join(&file.name), file.octets.expose()).unwrap();
    }
    assert_eq!(std::fs::read(folder.path().join("dac-key.bin")).unwrap().len(), 32);
    assert_eq!(std::fs::read(folder.path().join("dac-pub-key.bin")).unwrap().len(), 65);
    let csv = std::fs::read_to_string(folder.path().join("nvs.csv")).unwrap();
    assert!(csv.contains("vendor-id,data,u32,65521\nproduct-id,data,u32,32768\nhardware-ver,data,u32,3\n"), "{csv}");
    assert!(!csv.contains("LAMP-E27-W"), "no field is invented from another: {csv}");
    let python = crate::program::root().join("tests/.judges/esp/bin/python3");
    let has = |python: &Path| {
        Command::new(python).args(["-c", "import esp_idf_nvs_partition_gen"]).output().is_ok_and(|o| o.status.success())
    };
    if !has(&python) {
        assert!(!crate::program::full(), "tests/.judges/esp lacks esp-idf-nvs-partition-gen");
        return;
    }
    let arguments = ["-m", "esp_idf_nvs_partition_gen", "generate", "nvs.csv", "nvs.bin", "0x6000"];
    run(python.to_str().unwrap(), &arguments, folder.path());
    let partition = std::fs::read(folder.path().join("nvs.bin")).unwrap();
    assert!(partition.windows(record.certificate.len().min(400)).any(|w| w == &record.certificate[..w.len()]));

    let other = bundle(&Kind { count: 1, ..Kind::default() }, &folder.path().join("other"));
    let record = &super::records(&folder.path().join("other"), &other.manifest)[0];
    let refused = Form::EspMatter.of(record, &chain, &said).err().unwrap().to_string();
    assert!(refused.contains("vendor and product"), "{refused}");
}

#[test]
fn openssl_opens_a_pkcs12_file_and_no_other_password_or_octet_does() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    let written = bundle(&Kind { count: 1, ..Kind::default() }, &out);
    let chain = std::fs::read_to_string(out.join("chain.pem")).unwrap();
    let record = &super::records(&out, &written.manifest)[0];
    let password = Password::parse(Secret::take(b"correct horse".to_vec())).unwrap();
    let form = Form::Pkcs12(Protection { password, random: std::array::from_fn(|n| n as u8) });
    let Made::One(octets) = form.of(record, &chain, &Options::default()).unwrap() else { panic!("several files") };
    std::fs::write(folder.path().join("device.p12"), octets.expose()).unwrap();
    for (name, text) in [("right", "correct horse\n"), ("wrong", "correct house\n")] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let open = |name: &str, pass: &str| {
        let pass = format!("file:{pass}");
        let arguments = ["pkcs12", "-in", name, "-passin", &pass, "-noenc", "-info"];
        let output = Command::new("openssl").args(arguments).current_dir(folder.path()).output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.success(), said)
    };
    let (opened, said) = open("device.p12", "right");
    assert!(opened, "{said}");
    for expected in [
        "MAC: sha256, Iteration 600000",
        "PBES2, PBKDF2, AES-256-CBC, Iteration 600000, PRF hmacWithSHA256",
        "friendlyName: LAMP-00000001",
        "-----BEGIN PRIVATE KEY-----",
    ] {
        assert!(said.contains(expected), "{expected}: {said}");
    }
    assert_eq!(said.matches("-----BEGIN CERTIFICATE-----").count(), 3, "device, issuer, root");
    assert!(!open("device.p12", "wrong").0);
    let mut spoilt = octets.expose().to_vec();
    let middle = spoilt.len() / 2;
    spoilt[middle] ^= 1;
    std::fs::write(folder.path().join("spoilt.p12"), spoilt).unwrap();
    assert!(!open("spoilt.p12", "right").0);
}

#[test]
fn forms_that_cannot_be_are_refused_before_an_identity_is_spent() {
    let folder = tempfile::tempdir().unwrap();
    let issuer = |kind: &Kind, name: &str| {
        let out = folder.path().join(name);
        bundle(&Kind { count: 1, ..kind.clone() }, &out);
        let chain = std::fs::read_to_string(out.join("chain.pem")).unwrap();
        anchorite::factory::export::chain_of(&chain).unwrap().remove(0)
    };
    let (lamp, matter) = (issuer(&Kind::default(), "lamp"), issuer(&Kind::matter(), "matter"));
    let none = Options::default();
    let p256 = Some(Algorithm::EcdsaP256);
    let refused = |form: Form, key, issuer: &[u8]| form.fits(key, issuer, &none).err().map(|e| e.to_string());
    assert_eq!(refused(Form::EspMatter, p256, &matter), None);
    assert!(refused(Form::EspMatter, p256, &lamp).unwrap().contains("a Matter vendor"));
    assert!(
        refused(Form::EspMatter, Some(Algorithm::Ed25519), &matter).unwrap().contains("ecdsa-p256 keys, found ed25519")
    );
    assert!(refused(Form::Nordic, p256, &matter).unwrap().contains("options: vendor_name: expected a value"));
    assert!(refused(Form::EspSecureCert, Some(Algorithm::MlDsa44), &lamp).unwrap().contains("found ml-dsa-44"));
    assert_eq!(refused(Form::EspSecureCert, p256, &lamp), None);
    assert_eq!(refused(Form::Files, Some(Algorithm::MlDsa65), &lamp), None);
}

#[test]
fn an_element_manifest_says_what_the_record_says_and_holds_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("bundle");
    let written = bundle(&Kind { count: 1, ..Kind::default() }, &out);
    let chain = std::fs::read_to_string(out.join("chain.pem")).unwrap();
    let record = &super::records(&out, &written.manifest)[0];
    let key = SigningKey::from_material(Algorithm::EcdsaP256, &[0x21; 64]).unwrap();
    let subject = Subject::authority(None, "ostrava", "Element manifests");
    let now = Instant::parse("2026-11-26T12:00:00Z").unwrap();
    let certificate = certificate::own_signer(Realm::Rehearsal, &subject, &key, &[0x42; 20], now).unwrap();
    assert!(!certificate.is_authority());
    let signer = Signer { key, certificate };
    let who = options(
        "[manufacturer]\norganization = \"Example Lamps\"\n[distributor]\norganization = \"Shop\"\nunit = \"East\"\n",
    );
    let object = element(record, &chain, "ostrava", &who, &signer).unwrap();
    let object: serde_json::Value = serde_json::from_str(&object).unwrap();
    let read = |name: &str| {
        let octets = data_encoding::BASE64URL_NOPAD.decode(object[name].as_str().unwrap().as_bytes()).unwrap();
        serde_json::from_slice::<serde_json::Value>(&octets).unwrap()
    };
    let (payload, protected) = (read("payload"), read("protected"));
    assert_eq!(protected["alg"], "ES256");
    assert_eq!(payload["uniqueId"], "LAMP-00000001");
    assert_eq!(payload["partNumber"], "LAMP-E27-W");
    assert_eq!(payload["provisioningTimestamp"], "2026-11-26T00:00:00.000Z");
    assert_eq!(payload["distributor"]["organizationalUnitName"], "East");
    let key = &payload["publicKeySet"]["keys"][0];
    assert_eq!((&key["crv"], key["x5c"].as_array().unwrap().len()), (&"P-256".into(), 2), "{key}");
    assert!(key.get("d").is_none());
    let digest = Digest::of(signer.certificate.der());
    assert_eq!(protected["x5t#S256"], data_encoding::BASE64URL_NOPAD.encode(digest.octets()));
    let missing = element(record, &chain, "ostrava", &Options::default(), &signer).unwrap_err().to_string();
    assert!(missing.contains("options: manufacturer: expected a value"), "{missing}");
    let _ = Certificate::parse(signer.certificate.der()).unwrap();
}

#[test]
fn a_line_for_aws_iot_is_of_what_it_takes() {
    let folder = tempfile::tempdir().unwrap();
    let line = |name: &str, kind: Kind| {
        let out = folder.path().join(name);
        let written = bundle(&Kind { count: 1, ..kind }, &out);
        aws_iot_line(&super::records(&out, &written.manifest)[0]).map_err(|refusal| refusal.to_string())
    };
    let ldevid = |device| Kind { profile: "ldevid", device, ..Kind::default() };
    for taken in [Algorithm::EcdsaP256, Algorithm::EcdsaP384] {
        assert!(line(taken.word(), ldevid(taken)).unwrap().contains("\"ThingName\":\"LAMP-00000001\""));
    }
    let refused = |name, kind, words: &str| {
        let said = line(name, kind).unwrap_err();
        assert!(said.contains(words), "{said}");
    };
    let dotted = Kind { listed: Some(vec!["LAMP.1"]), ..Kind::default() };
    refused("dotted", dotted, "device id of LAMP.1 for AWS IoT: expected no dot");
    refused(
        "key",
        ldevid(Algorithm::Ed25519),
        "key of LAMP-00000001 for AWS IoT: expected ECDSA or RSA, found ed25519",
    );
    let above = Kind { issuer: Algorithm::Ed25519, ..ldevid(Algorithm::EcdsaP256) };
    refused("signature", above, "signature of LAMP-00000001 for AWS IoT: expected ECDSA or RSA, found ed25519");
}
