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
        ("devices =", "hardware_ids = [\"a\"]\ndevices =", "either devices or hardware_ids"),
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
