//! What is taken, what is refused and by which name, and that a refusal loses nothing.

use super::live::{End, Live};
use super::ways::Opened;
use super::*;
use crate::basics::Digest;
use crate::devices::camera::pixel_format::PixelFormat;
use crate::devices::camera::{Camera, Lens, Shape};
use crate::devices::frame_source::{FrameSource, Heard, SourceError};
use crate::devices::medium::{Access, Medium, Place, initialise, write_export};
use crate::devices::picture_reader::PictureReader;
use crate::runner::binding::Bound;
use crate::runner::front_end::{Incoming, Looked};
use crate::transfer::picture::Luma;
use crate::transfer::picture::tests::code;
use crate::transfer::sender::{self, Sender, symbol_octets_of};
use crate::transfer::volume::{FileName, Label, MediumId, Volume};
use std::collections::VecDeque;
use std::path::Path;
use std::time::Duration;

/// The least DER: a sequence of one number.
const DER: &[u8] = &[0x30, 3, 2, 1, 7];

fn ask() -> Ask {
    Ask::Object {
        kind: "csr".to_owned(),
        name: "issuing-2026.csr.pem".to_owned(),
        what: "the certificate request of issuing-2026".to_owned(),
        most: 2_000,
    }
}

fn taking() -> Taking {
    Taking::begin(Realm::Rehearsal, &ask()).unwrap()
}

/// A request of about 900 octets: several frames.
fn request() -> Vec<u8> {
    let mut der = vec![0x30, 0x82, 3, 0x80, 4, 0x82, 3, 0x7c];
    der.extend((0..0x37c_u32).map(|n| u8::try_from(n.wrapping_mul(2_654_435_761) >> 24).unwrap()));
    der
}

fn sent(kind: Kind, realm: Realm, octets: Vec<u8>) -> Envelope {
    Envelope::new(kind, realm, "theirs.csr", octets).unwrap()
}

fn frames(envelope: &Envelope) -> Vec<String> {
    let sender = Sender::new(envelope, symbol_octets_of(6)).unwrap();
    (0..u64::from(sender.source_frames()) + 2).map(|n| sender.frame(n)).collect()
}

struct Heap(VecDeque<Heard>);

impl FrameSource for Heap {
    fn name(&self) -> String {
        "a heap".to_owned()
    }

    fn hear(&mut self, _: Duration) -> Result<Heard, SourceError> {
        self.0.pop_front().ok_or_else(|| SourceError::new("a heap", "it was pulled", "plug it in again"))
    }
}

fn watch(taking: &mut Taking, heard: Vec<Heard>) -> (End, String) {
    let opened = Opened { source: Box::new(Heap(heard.into())), told: "", via: Via::Scanner, typed: false };
    watch_source(taking, opened)
}

fn watch_source(taking: &mut Taking, opened: Opened) -> (End, String) {
    let mut live = Live::new(opened, taking);
    let mut notes = Vec::new();
    while live.look(Duration::ZERO) != Looked::Ended {
        notes.push(live.sight().note);
    }
    (live.end(), notes.join("\n"))
}

fn texts(texts: &[String]) -> Vec<Heard> {
    texts.iter().cloned().map(Heard::Text).collect()
}

#[test]
fn frames_of_several_sources_become_one_object_and_going_back_loses_nothing() {
    let envelope = sent(Kind::Csr, Realm::Rehearsal, request());
    let frames = frames(&envelope);
    let mut taking = taking();
    let (end, _) = watch(&mut taking, [texts(&frames[..3]), vec![Heard::Ended]].concat());
    let End::Over(why) = end else { panic!("it is not whole") };
    assert!(why.contains("a heap ended before the object was whole: 3 of "), "{why}");
    assert!(why.contains("nothing that came is lost"), "{why}");
    // The scanner is pulled in between.
    let (end, _) = watch(&mut taking, texts(&frames[3..5]));
    assert!(matches!(end, End::Over(why) if why.contains("it was pulled; plug it in again")));
    let (end, _) = watch(&mut taking, texts(&frames[5..]));
    assert!(matches!(end, End::Arrived(arrived) if arrived == envelope));
}

#[test]
fn what_is_of_another_kind_or_realm_is_named_and_the_transfer_goes_on() {
    let envelope = sent(Kind::Csr, Realm::Rehearsal, request());
    let ours = frames(&envelope);
    let mut heard = texts(&ours[..4]);
    let crl = sent(Kind::Crl, Realm::Rehearsal, request());
    let production = sent(Kind::Csr, Realm::Production, request());
    let long = sent(Kind::Csr, Realm::Rehearsal, vec![7; 2_001]);
    for foreign in [&crl, &production, &long] {
        heard.extend(texts(&frames(foreign)));
    }
    heard.push(Heard::Text("https://example.com".to_owned()));
    heard.push(Heard::Refused { name: "a.png".to_owned(), reason: "no code in it".to_owned() });
    heard.extend(texts(&ours[4..]));
    let mut taking = taking();
    let (end, notes) = watch(&mut taking, heard);
    assert!(matches!(end, End::Arrived(arrived) if arrived == envelope));
    for said in [
        "expected a csr for rehearsal, found a crl for rehearsal (theirs.csr): not taken",
        "expected a csr for rehearsal, found a csr for production (theirs.csr): not taken",
        "expected a csr of at most 2000 octets, found 2001: not taken",
        "unreadable: ",
        "a.png: no code in it",
    ] {
        assert!(notes.contains(said), "{said} in {notes}");
    }
}

#[test]
fn a_plain_code_and_a_plain_file_get_an_envelope_of_this_realm_and_name() {
    let pem = crate::pki::pem::to_pem("CERTIFICATE REQUEST", DER).unwrap();
    let arrived = taking().text(pem.trim_end()).unwrap().unwrap();
    assert_eq!(
        (arrived.kind(), arrived.realm(), arrived.name()),
        (Kind::Csr, Realm::Rehearsal, "issuing-2026.csr.pem")
    );
    assert_eq!(arrived.octets(), pem.as_bytes(), "the line break at the end is back");
    for octets in [pem.into_bytes(), DER.to_vec()] {
        let envelope = taking().file(octets.clone()).unwrap();
        assert_eq!((envelope.name(), envelope.octets()), ("issuing-2026.csr.pem", octets.as_slice()));
    }
    let theirs = sent(Kind::Csr, Realm::Rehearsal, DER.to_vec());
    assert_eq!(taking().file(theirs.to_octets()).unwrap(), theirs, "an envelope in a file stays as it is");
}

#[test]
fn files_that_are_something_else_are_refused_by_name() {
    let certificate = crate::pki::pem::to_pem("CERTIFICATE", DER).unwrap();
    let mut altered = sent(Kind::Csr, Realm::Rehearsal, DER.to_vec()).to_octets();
    *altered.last_mut().unwrap() ^= 1;
    for (octets, said) in [
        (certificate.clone().into_bytes(), "expected one PEM block `CERTIFICATE REQUEST`"),
        (b"MZ\x90\0".to_vec(), "expected the DER or PEM of a csr, found octets that begin 4d5a9000"),
        (altered, "the content does not have the SHA-256 its header says"),
        (sent(Kind::Crl, Realm::Rehearsal, DER.to_vec()).to_octets(), "found a crl for rehearsal"),
        (sent(Kind::Csr, Realm::Production, DER.to_vec()).to_octets(), "found a csr for production"),
        (Vec::new(), "expected the DER or PEM of a csr"),
    ] {
        let refusal = taking().file(octets).unwrap_err();
        assert!(refusal.contains(said), "{said} in {refusal}");
    }
    let refusal = taking().text(&certificate).unwrap_err();
    assert!(refusal.contains("expected a csr, found a certificate: not taken"), "{refusal}");
}

#[test]
fn shares_and_private_keys_are_never_taken_in_nor_said_again() {
    const SHARE: &str = "KR1QXWLE5GPQGPSZMS0UDX02ZATJ54NNYZML2KGP8J9QS24VV6RT5NUAX6UE423004607MSL295C0T6P";
    let order =
        Ask::Object { kind: "order".to_owned(), name: "a.order".to_owned(), what: "the order".to_owned(), most: 500 };
    let mut taking = Taking::begin(Realm::Rehearsal, &order).unwrap();
    let key = "-----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----\n";
    let wrapped = Envelope::new(Kind::Order, Realm::Rehearsal, "a.order", SHARE.as_bytes().to_vec()).unwrap();
    let single = sender::single(&wrapped).unwrap();
    for refusal in [
        taking.text(SHARE).unwrap_err(),
        taking.text(&single).unwrap_err(),
        taking.file(SHARE.as_bytes().to_vec()).unwrap_err(),
        taking.file(key.as_bytes().to_vec()).unwrap_err(),
        taking.file(wrapped.to_octets()).unwrap_err(),
    ] {
        assert!(refusal.contains("none is asked for here: nothing of it is kept or recorded"), "{refusal}");
        assert!(!refusal.contains("QXWL") && !refusal.contains("MC4C"), "{refusal}");
    }
    assert!(taking.file(br#"{"count":40}"#.to_vec()).is_ok());
}

#[test]
fn what_a_scanner_types_comes_line_by_line() {
    let envelope = sent(Kind::Csr, Realm::Rehearsal, request());
    let mut taking = taking();
    let mut live = Live::new(super::ways::LiveWay::Typed.open().unwrap(), &mut taking);
    assert!(live.is_typed());
    assert_eq!(live.look(Duration::ZERO), Looked::Nothing);
    let looked: Vec<Looked> = frames(&envelope).iter().map(|frame| live.typed(frame)).collect();
    assert!(looked.contains(&Looked::Ended), "{looked:?}");
    assert!(matches!(live.end(), End::Arrived(arrived) if arrived == envelope));
}

struct Film(VecDeque<Luma>, Shape);

impl Lens for Film {
    fn shape(&self) -> Shape {
        self.1
    }

    fn newest(&mut self, _: Duration) -> std::io::Result<Option<Vec<u8>>> {
        Ok(self.0.pop_front().map(|luma| luma.octets().to_vec()))
    }
}

#[test]
fn an_object_held_to_the_camera_arrives_frame_by_frame() {
    let envelope = sent(Kind::Csr, Realm::Rehearsal, request()[..].to_vec());
    let film: Vec<Luma> = frames(&envelope).iter().map(|frame| code(frame, 4)).collect();
    let shape =
        Shape { width: film[0].width(), height: film[0].height(), stride: film[0].width(), format: PixelFormat::Grey };
    let lens = Box::new(Film(film.into(), shape));
    let camera = Camera::with_lens("/dev/video7".to_owned(), lens, PictureReader::in_process());
    let opened = Opened { source: Box::new(camera), told: "", via: Via::Camera, typed: false };
    let mut taking = taking();
    let (end, notes) = watch_source(&mut taking, opened);
    assert!(matches!(end, End::Arrived(arrived) if arrived == envelope), "{notes}");
}

fn name(text: &str) -> FileName {
    FileName::parse(text).unwrap()
}

/// A medium in a folder with one export.
fn stick(folder: &Path, label: &str, realm: Realm, files: Vec<(FileName, Vec<u8>)>) {
    let place = Place::at(folder, Access::Write).unwrap();
    let volume = Volume { id: MediumId::from_octets([7; 16]), label: Label::parse(label).unwrap() };
    let medium = initialise(Medium::open(&place).unwrap(), &volume).unwrap();
    write_export(&medium, realm, &files, &mut |_, _| ()).unwrap();
}

fn from(folder: &Path, label: Option<&str>) -> Result<Vec<(String, Digest)>, String> {
    let label = label.map(|label| Label::parse(label).unwrap());
    let found = stick::welcome(&Bound::Folder(folder.to_owned()), label.as_ref(), &taking())?;
    Ok(found.into_iter().map(|(at, envelope)| (at, Digest::of(envelope.octets()))).collect())
}

#[test]
fn a_medium_offers_what_could_be_it_from_exports_the_inbox_and_the_top() {
    let folder = tempfile::tempdir().unwrap();
    let envelope = sent(Kind::Csr, Realm::Rehearsal, DER.to_vec());
    let files = vec![(name("a.csr"), envelope.to_octets()), (name("b.crt"), b"no request".to_vec())];
    stick(folder.path(), "transport", Realm::Rehearsal, files);
    std::fs::create_dir_all(folder.path().join("INBOX")).unwrap();
    std::fs::write(folder.path().join("INBOX/plain.csr"), DER).unwrap();
    let pem = crate::pki::pem::to_pem("CERTIFICATE REQUEST", DER).unwrap();
    std::fs::write(folder.path().join("top.csr.pem"), &pem).unwrap();
    std::fs::write(folder.path().join(".hidden"), DER).unwrap();
    std::fs::write(folder.path().join("long.csr"), vec![0x30; 5_000]).unwrap();
    let found = from(folder.path(), Some("transport")).unwrap();
    let at: Vec<&str> = found.iter().map(|(at, _)| at.as_str()).collect();
    assert_eq!(at, ["EXP-0001/a.csr", "INBOX/plain.csr", "top.csr.pem"]);
    assert_eq!(found[2].1, Digest::of(pem.as_bytes()));
    let wrong = from(folder.path(), Some("vault-a")).unwrap_err();
    assert!(wrong.contains("this is `transport` (id 07070707070707070707070707070707), expected `vault-a`"), "{wrong}");
}

#[test]
fn a_stick_of_another_machine_needs_no_label() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("request.der"), DER).unwrap();
    assert_eq!(from(folder.path(), Some("transport")).unwrap(), [("request.der".to_owned(), Digest::of(DER))]);
}

#[test]
fn hostile_sticks_are_named_and_nothing_outside_them_is_read() {
    let outside = tempfile::tempdir().unwrap();
    std::fs::write(outside.path().join("secret.csr"), DER).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink(outside.path().join("secret.csr"), at("link.csr")).unwrap();
    std::os::unix::fs::symlink(outside.path(), at("INBOX")).unwrap();
    rustix::fs::mkfifoat(rustix::fs::CWD, at("pipe.csr"), rustix::fs::Mode::from_raw_mode(0o600)).unwrap();
    std::fs::write(at("bidi\u{202e}.csr"), DER).unwrap();
    std::fs::write(at("wrong.csr"), b"MZ").unwrap();
    let refusal = from(folder.path(), None).unwrap_err();
    for said in
        ["INBOX: expected a folder, found a symbolic link", "link.csr: expected a regular file, found a symbolic link"]
    {
        assert!(refusal.contains(said), "{said} in {refusal}");
    }
    assert!(
        refusal.contains("expected the certificate request of issuing-2026: a csr for rehearsal on the medium"),
        "{refusal}"
    );
    assert!(!refusal.contains('\u{202e}'), "{refusal:?}");
    let gone = from(&folder.path().join("none"), None).unwrap_err();
    assert!(gone.contains("expected the folder of a mounted medium or a block device, found nothing"), "{gone}");
    let bound = Bound::Medium(folder.path().to_owned());
    let unmounted = stick::welcome(&bound, Some(&Label::parse("transport").unwrap()), &taking()).unwrap_err();
    assert!(unmounted.contains("nothing is mounted here"), "{unmounted}");
}

#[test]
fn an_export_of_the_other_realm_or_an_altered_one_is_refused_whole() {
    let folder = tempfile::tempdir().unwrap();
    stick(folder.path(), "transport", Realm::Production, vec![(name("a.csr"), DER.to_vec())]);
    let refusal = from(folder.path(), None).unwrap_err();
    assert!(refusal.contains("EXP-0001: expected an export for rehearsal, found one for production"), "{refusal}");
    let folder = tempfile::tempdir().unwrap();
    stick(folder.path(), "transport", Realm::Rehearsal, vec![(name("a.csr"), DER.to_vec())]);
    std::fs::write(folder.path().join("EXP-0001/a.csr"), [0x30, 3, 2, 1, 8]).unwrap();
    let refusal = from(folder.path(), None).unwrap_err();
    assert!(refusal.contains("EXP-0001/a.csr: expected SHA-256 "), "{refusal}");
}

#[test]
fn a_file_is_found_beneath_its_folder_only() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("in");
    std::fs::create_dir(&inside).unwrap();
    std::fs::write(inside.join("a.csr"), DER).unwrap();
    std::fs::write(folder.path().join("b.csr"), DER).unwrap();
    std::os::unix::fs::symlink("../b.csr", inside.join("c.csr")).unwrap();
    assert!(stick::file(Some(&inside), "a.csr", &taking()).is_ok());
    for typed in ["../b.csr", "c.csr", "none.csr", "/etc/passwd"] {
        assert!(stick::file(Some(&inside), typed, &taking()).is_err(), "{typed}");
    }
    let path = folder.path().join("b.csr");
    assert!(stick::file(None, path.to_str().unwrap(), &taking()).is_ok(), "in a rehearsal a path is typed");
}
