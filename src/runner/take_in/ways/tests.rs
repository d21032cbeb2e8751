//! What is offered, by realm and binding.

use super::*;
use std::collections::BTreeMap;

fn material(name: &str, kind: &str) -> Material {
    Material { name: name.to_owned(), kind: kind.to_owned(), title: String::new(), serial: String::new() }
}

fn bound() -> Binding {
    Binding {
        ledger: PathBuf::new(),
        media: BTreeMap::from([
            ("transport".to_owned(), Bound::Medium(PathBuf::from("/media/usb1"))),
            ("shelf".to_owned(), Bound::Folder(PathBuf::from("/srv/shelf"))),
        ]),
        devices: BTreeMap::from([("desk".to_owned(), PathBuf::from("/dev/video0"))]),
        incoming: BTreeMap::from([
            ("files".to_owned(), PathBuf::from("/srv/in")),
            ("pictures".to_owned(), PathBuf::from("/srv/pictures")),
        ]),
    }
}

fn materials() -> [Material; 4] {
    [
        material("transport", "medium"),
        material("laptop", "laptop"),
        material("desk", "camera"),
        material("shelf", "medium"),
    ]
}

fn words(ways: &Ways) -> Vec<String> {
    ways.offered().iter().map(|way| format!("{} {}", way.key, way.words())).collect()
}

#[test]
fn production_offers_what_the_binding_names_and_nothing_else() {
    let ways = Ways::of(Realm::Production, &materials(), &bound());
    assert_eq!(
        words(&ways),
        [
            "1 the camera or scanner desk (/dev/video0)",
            "2 the medium transport (/media/usb1)",
            "3 the medium shelf (/srv/shelf)",
            "4 a file in /srv/in: type 4 and its name",
            "5 pictures of codes in /srv/pictures, as they appear",
            "6 a scanner that types as a keyboard",
        ]
    );
    assert_eq!(
        words(&Ways::of(Realm::Production, &materials(), &Binding::default())),
        ["1 a scanner that types as a keyboard"]
    );
}

#[test]
fn a_rehearsal_offers_the_simulated_other_side_and_any_path() {
    let ways = Ways::of(Realm::Rehearsal, &materials(), &Binding::default());
    assert!(matches!(ways.chosen("1"), Ok(Way::Simulated)));
    assert!(
        matches!(ways.chosen(" 3  /tmp/a b.txt "), Ok(Way::Live(LiveWay::Frames(path))) if path == Path::new("/tmp/a b.txt"))
    );
    assert!(matches!(
        ways.chosen("5 /media/usb"),
        Ok(Way::Medium { bound: Bound::Folder(path), label: None }) if path == Path::new("/media/usb")
    ));
}

#[test]
fn what_is_not_offered_is_refused_with_what_is() {
    let ways = Ways::of(Realm::Production, &materials(), &bound());
    let refused = |typed| ways.chosen(typed).err().unwrap();
    assert!(refused("9").contains("one of 1, 2, 3, 4, 5, 6"));
    assert!(refused("").contains("one of 1, 2, 3, 4, 5, 6"));
    assert!(refused("4").contains("expected 4 and its name, with a space between them"));
    assert!(refused("2 /elsewhere").contains("expected 2 and nothing after it"), "no other path than the bound one");
    assert!(matches!(ways.chosen("4 a.csr"), Ok(Way::File { folder: Some(_), typed }) if typed == "a.csr"));
}
