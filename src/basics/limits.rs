//! Every bound on outside data has its name here (invariant K).

/// Octets of one script; a long ceremony is about 20 KiB.
pub const SCRIPT_OCTETS: usize = 512 * 1024;
/// Octets of a profile, governance, approval or binding file.
pub const SMALL_FILE_OCTETS: usize = 64 * 1024;
/// Nesting depth of tables and arrays in any TOML or JSON we read.
pub const NESTING: usize = 12;
/// People in one room.
pub const PEOPLE: usize = 64;
/// Acts of one script.
pub const ACTS: usize = 40;
/// Steps of one script.
pub const STEPS: usize = 1_000;
/// Problems `check` reports before it stops.
pub const PROBLEMS: usize = 200;
/// Octets of one transcript line, its line break not counted.
pub const TRANSCRIPT_LINE_OCTETS: usize = 256 * 1024;
/// Octets of a whole transcript.
pub const TRANSCRIPT_OCTETS: usize = 64 * 1024 * 1024;
/// Octets of any other single file of an evidence folder.
pub const EVIDENCE_FILE_OCTETS: usize = 16 * 1024 * 1024;
/// Files in an evidence folder.
pub const EVIDENCE_FILES: usize = 10_000;
/// Characters a person may type into a plain text field.
pub const TYPED_CHARS: usize = 400;
/// Characters a person may type into a secret field.
pub const SECRET_CHARS: usize = 240;
/// Characters of foreign text shown in one place.
pub const SAFE_TEXT_CHARS: usize = 2_000;
/// Custodians of one quorum (an index is one octet, and 0 is the secret).
pub const SHARES: usize = 255;
/// Octets of one strongroom message.
pub const STRONGROOM_FRAME_OCTETS: usize = 1024 * 1024;
/// Octets of a sealed key file (age v1).
pub const SEALED_FILE_OCTETS: usize = 64 * 1024;
/// Octets of the file that says which medium this is.
pub const VOLUME_OCTETS: usize = 1024;
/// Octets of a medium's manifest: room for `EXPORT_FILES` names.
pub const MANIFEST_OCTETS: usize = 1024 * 1024;
/// Octets of a name, and of a label, on a medium.
pub const MEDIUM_NAME_OCTETS: usize = 64;
/// Files of one export on a medium.
pub const EXPORT_FILES: usize = 4_000;
/// Names looked at in one folder of a medium before it is refused.
pub const MEDIUM_ENTRIES: usize = 10_000;
/// Octets of one file on a medium.
pub const MEDIUM_FILE_OCTETS: usize = 16 * 1024 * 1024;
/// Octets of one export on a medium, all files together.
pub const EXPORT_OCTETS: u64 = 256 * 1024 * 1024;
/// Block devices looked at when sticks are searched for.
pub const BLOCK_DEVICES: usize = 256;
/// Tries to open a name on a medium that somebody changes meanwhile.
pub const OPEN_TRIES: usize = 16;
