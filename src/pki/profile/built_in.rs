//! The profiles that come with the tool: the files in `ceremony-scripts/profiles/`.

/// The profile for roots of device authorities.
pub const ROOT_DEVICE: &str = include_str!("../../../ceremony-scripts/profiles/root-device.toml");

/// The same for post-quantum roots.
pub const ROOT_DEVICE_PQ: &str = include_str!("../../../ceremony-scripts/profiles/root-device-pq.toml");

macro_rules! built_in {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../../ceremony-scripts/profiles/", $name, ".toml")))),*]
    };
}

/// Name and text of each; their order is that of the documents.
pub const BUILT_IN: &[(&str, &str)] = built_in![
    "root-device",
    "root-device-pq",
    "subca-device",
    "subca-device-pq",
    "root-cabf",
    "subca-nontls-cabf",
    "root-firmware",
    "subca-codesign",
    "cross-ca",
    "ocsp-signer",
    "matter-paa",
    "matter-pai",
    "matter-dac",
    "idevid",
    "ldevid",
    "device-pq",
    "tls-client",
    "device-key",
    "subca-factory",
];
