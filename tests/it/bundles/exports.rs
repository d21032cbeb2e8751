//! Exports, read by the tools they are for.

use super::fixture::{Kind, bundle, issuing};
use anchorite::factory::export::{CSV_HEADER, csv_line, esp_matter, pem_files};
use anchorite::strongroom::Strongroom;
use std::path::Path;
use std::process::Command;

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
        for file in pem_files(&record, &chain).unwrap() {
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
        let pkcs12 = "pkcs12 -export -inkey key.pem -in certificate.pem -passout pass:x -out device.p12";
        run("openssl", &pkcs12.split(' ').collect::<Vec<_>>(), at.path());

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
    for file in esp_matter(record, &chain).unwrap() {
        std::fs::write(folder.path().join(&file.name), file.octets.expose()).unwrap();
    }
    assert_eq!(std::fs::read(folder.path().join("dac-key.bin")).unwrap().len(), 32);
    assert_eq!(std::fs::read(folder.path().join("dac-pub-key.bin")).unwrap().len(), 65);
    let csv = std::fs::read_to_string(folder.path().join("nvs.csv")).unwrap();
    assert!(csv.contains("vendor-id,data,u32,65521\nproduct-id,data,u32,32768\n"), "{csv}");
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
    assert!(esp_matter(record, &chain).err().unwrap().to_string().contains("vendor and product"));
}
