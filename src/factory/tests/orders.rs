//! Orders: what is read, and that everything wrong is said at once.

use crate::factory::order::{Mode, Order};
use crate::factory::{DeviceId, Refusal};

const GOOD: &str = r#"
format = "anchorite-order/1"
realm = "rehearsal"
factory = "ostrava"
product = "lamp"
sku = "LAMP-E27-W"
mode = "injected"
algorithm = "ecdsa-p256"
profile = "idevid"
count = 1000
devices = { prefix = "LAMP-", first = 1, digits = 8 }
quota = 50000
not_before = "2026-11-26T00:00:00Z"
not_after = "9999-12-31T23:59:59Z"
expires = "2027-02-26T00:00:00Z"
[firmware]
version = "1.4.0"
sha256 = "00000000000000000000000000000000000000000000000000000000000000ff"
[subject]
organization = "Example Lamps"
"#;

fn refused(from: &str, to: &str) -> Vec<String> {
    let text = GOOD.replacen(from, to, 1);
    assert_ne!(text, GOOD, "{from}");
    Order::parse(text.as_bytes()).unwrap_err().iter().map(Refusal::to_string).collect()
}

#[test]
fn an_order_names_its_devices() {
    let order = Order::parse(GOOD.as_bytes()).unwrap();
    assert_eq!(order.mode, Mode::Injected);
    assert_eq!(order.device(0).unwrap().as_str(), "LAMP-00000001");
    assert_eq!(order.device(999).unwrap().as_str(), "LAMP-00001000");
    assert!(order.device(1_000).is_err());
    let listed = GOOD
        .replace("count = 1000", "count = 2")
        .replace("devices = { prefix = \"LAMP-\", first = 1, digits = 8 }", "hardware_ids = [\"9f3c01\", \"9f3c02\"]");
    let order = Order::parse(listed.as_bytes()).unwrap();
    assert_eq!(order.device(1).unwrap(), DeviceId::parse("9f3c02").unwrap());
}

#[test]
fn what_is_wrong_with_an_order_is_named() {
    for (from, to, said) in [
        ("count = 1000", "count = 60000", "at most the quota, 50000"),
        ("count = 1000", "count = 0", "order: count"),
        (
            "devices =",
            "hardware_ids = [\"a\"]\ndevices =",
            "one of devices, hardware_ids and [[device]], found devices and hardware_ids",
        ),
        ("LAMP-\"", "LAMP_\"", "order: devices"),
        ("quota = 50000", "quota = 50000\nnonce = \"00\"", "64 lower-case"),
        ("\"injected\"", "\"device-generated\"", "order: nonce"),
        ("9999-12-31", "2020-12-31", "order: not_after"),
        ("\"ostrava\"", "\"Ostrava\"", "order: factory"),
        ("quota = 50000", "quotas = 50000", "line"),
        ("Example Lamps", "Example\\u202eLamps", "subject.organization"),
        ("anchorite-order/1", "anchorite-order/2", "order: format"),
        ("\"ecdsa-p256\"", "\"rsa\"", "line"),
    ] {
        let found = refused(from, to).join("\n");
        assert!(found.contains(said), "{to}: {found}");
    }
    let both = GOOD.replace("count = 1000", "count = 60000").replace("\"ostrava\"", "\"\"");
    assert_eq!(Order::parse(both.as_bytes()).unwrap_err().len(), 2, "all at once");
}

#[test]
fn the_order_in_the_specification_is_one() {
    let page = include_str!("../../../media/BUNDLE.md");
    let section = page.split("## The order\n").nth(1).unwrap();
    let example = section.split("```\n").nth(1).unwrap().replace("<64 hexadecimal digits>", &"ab".repeat(32));
    let order = Order::parse(example.as_bytes()).unwrap();
    assert_eq!((order.count, order.device(9).unwrap().as_str()), (1_000, "LAMP-00000010"));
}

/// Two devices with hardware ids in place of the numbered ones.
fn named(devices: &str) -> String {
    let counted = "devices = { prefix = \"LAMP-\", first = 1, digits = 8 }\n";
    GOOD.replacen("count = 1000", "count = 2", 1).replacen(counted, "", 1) + devices
}

const TWO: &str = r#"[[device]]
id = "LAMP-1"
hardware = { mac = "00124b000001", soc = "9F3C:0001" }
[[device]]
id = "LAMP-2"
hardware = { mac = "00124b000002", soc = "9F3C:0002" }
"#;

#[test]
fn an_order_may_say_which_hardware_its_devices_are() {
    let order = Order::parse(named(TWO).as_bytes()).unwrap();
    assert_eq!(order.device(1).unwrap().as_str(), "LAMP-2");
    assert_eq!(order.list()[1].hardware["soc"], "9F3C:0002");
    assert!(order.orders(&DeviceId::parse("LAMP-1").unwrap(), &order.listed()));
    assert_eq!(Order::parse(order.to_toml().as_bytes()).unwrap(), order, "and is written again");
}

#[test]
fn what_is_wrong_with_listed_hardware_is_named() {
    for (from, to, said) in [
        ("LAMP-2", "LAMP-1", "order: device: LAMP-1: expected each device id once"),
        ("LAMP-2", "lamp.1", "each device id once, in whatever spelling"),
        ("00124b000002", "00124b000001", "order: device: LAMP-2: mac: expected a hardware id of one device only"),
        ("9F3C:0002", "9f3c-0001", "order: device: LAMP-2: soc: expected a hardware id of one device only"),
        ("00124b000002", "00:12:4b:00:00:02", "mac: expected 12 of 0-9, a-f, nothing between them"),
        ("00124b000002", "00124B000002", "mac: expected 12 of 0-9, a-f"),
        ("00124b000002", "00124b0000020", "mac: expected 12 of 0-9, a-f"),
        ("mac = \"00124b000002\"", "eui-64 = \"00124b000002\"", "eui-64: expected 16 of 0-9, a-f"),
        ("mac = \"00124b000002\"", "wifi-mac = \"x\"", "wifi-mac: expected 12 of 0-9, a-f"),
        ("mac = \"00124b000002\"", "Mac = \"00124b000002\"", "Mac: expected a kind of 1 to 23 of a-z"),
        ("9F3C:0002", "9F3C\\u202e", "soc: expected 1 to 64 visible ASCII characters"),
        ("9F3C:0002", " 9", "soc: expected 1 to 64 visible ASCII characters"),
        ("9F3C:0002", "--", "soc: expected 1 to 64 visible ASCII characters"),
        ("[[device]]\nid = \"LAMP-2\"", "[firm]\nid = \"LAMP-2\"", "line"),
        ("id = \"LAMP-2\"", "id = \"LAMP-2\"\nboard = \"7\"", "line"),
    ] {
        let text = named(&TWO.replacen(from, to, 1));
        let found = Order::parse(text.as_bytes()).unwrap_err().iter().map(Refusal::to_string).collect::<Vec<_>>();
        assert!(found.join("\n").contains(said), "{to}: {found:?}");
    }
    let many: String = (0..17).map(|n| format!("k{n} = \"{n}\", ")).collect();
    let text = named(&TWO.replacen("mac = \"00124b000002\", ", &many, 1));
    assert!(Order::parse(text.as_bytes()).unwrap_err()[0].to_string().contains("at most 16 hardware ids, found 18"));
    let fewer = named(TWO).replacen("count = 2", "count = 3", 1);
    assert!(Order::parse(fewer.as_bytes()).unwrap_err()[0].to_string().contains("as many as count, found 2"));
    let made = named(TWO).replacen("\"injected\"", "\"device-generated\"", 1);
    let found = Order::parse(made.as_bytes()).unwrap_err();
    assert!(found.iter().any(|why| why.to_string().contains("only where the mode is injected")), "{found:?}");
}

#[test]
fn one_hardware_id_is_the_same_in_whatever_spelling() {
    use crate::factory::hardware::{same_for, written};
    assert_eq!(written("mac", "00:12:4B:00:00:01"), "00124b000001");
    assert_eq!(written("soc", "9F:3C"), "9F:3C");
    for (kind, one, other) in [
        ("wifi-mac", "00:12:4B:00:00:01", "00124b000001"),
        ("eui-64", "00-12-4b-ff-fe-00-00-01", "00124BFFFE000001"),
        ("serial", "SN 0001/7", "sn-0001--7"),
    ] {
        assert_eq!(same_for(kind, one), same_for(kind, other));
    }
    for (kind, one, other) in [("serial", "1-11", "11-1"), ("soc", "a", "b")] {
        assert_ne!(same_for(kind, one), same_for(kind, other));
    }
    assert_ne!(same_for("soc", "a"), same_for("lot", "a"));
}
