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
/// Certificates one script revokes.
pub const REVOCATIONS: usize = 500;
/// Entries of a revocation list that a ceremony continues: they stand in one line of the record.
pub const REVOKED: usize = 1_500;
/// Entries of a revocation list in all, those of bundles included: its octets stand twice over in one line of the record.
pub const REVOKED_IN_ALL: usize = 30_000;
/// Octets of what was on the screen that an answer's entry holds; of more it holds the number of lines and their SHA-256.
pub const SHOWN_OCTETS: usize = 256 * 1024;
/// Octets of what stands after a ceremony, as the next one takes it up.
pub const STANDING_OCTETS: usize = 16 * 1024 * 1024;
/// Steps of one script.
pub const STEPS: usize = 1_000;
/// Problems `check` reports before it stops.
pub const PROBLEMS: usize = 200;
/// Octets of one transcript line, its line break not counted: an object of `TAKEN_IN_LARGE_OCTETS` stands in it as hexadecimal.
pub const TRANSCRIPT_LINE_OCTETS: usize = 4 * 1024 * 1024;
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
/// Octets of one strongroom message: a revocation list of `REVOKED_IN_ALL` entries in hexadecimal.
pub const STRONGROOM_FRAME_OCTETS: usize = 4 * 1024 * 1024;
/// Octets of a sealed key file (age v1).
pub const SEALED_FILE_OCTETS: usize = 64 * 1024;
/// Serial numbers one ceremony may reserve, burnt ones included.
pub const SERIALS: u32 = 10_000;
/// Milliseconds between two looks at a screen that stands still.
pub const SHOW_IDLE_MILLISECONDS: u64 = 250;
/// Codes on paper of one object: 50 pages.
pub const PRINTED_CODES: usize = 300;
/// Pixels of one picture; a phone makes 12 to 50 million.
pub const PICTURE_PIXELS: usize = 40_000_000;
/// Pixels along one side of a picture.
pub const PICTURE_SIDE: usize = 16_384;
/// Finder patterns looked at in one view of a picture; a code has three.
pub const PICTURE_FINDERS: usize = 120;
/// Places tried for a finder pattern in one view of a picture.
pub const PICTURE_FINDER_TRIES: usize = 40_000;
/// Triples of finder patterns tried in one view of a picture, the most plausible first.
pub const PICTURE_TRIPLES: usize = 60;
/// Codes taken from one picture; a printed page has six.
pub const PICTURE_CODES: usize = 64;
/// Octets of one picture file.
pub const PICTURE_FILE_OCTETS: usize = 64 * 1024 * 1024;
/// Octets the PNG decoder may take beside the pixels.
pub const PICTURE_DECODER_OCTETS: usize = 64 * 1024 * 1024;
/// Scans of one progressive JPEG.
pub const PICTURE_JPEG_SCANS: usize = 64;
/// Octets of memory of the process that decodes pictures: 40 million pixels of a progressive JPEG need about half.
pub const PICTURE_PROCESS_OCTETS: u64 = 1024 * 1024 * 1024;
/// Seconds of processor time of one such process, which reads many pictures.
pub const PICTURE_PROCESS_SECONDS: u64 = 60;
/// Pictures after which such a process is replaced.
pub const PICTURE_PROCESS_PICTURES: u32 = 1_000;
/// Milliseconds to look for codes in one picture of a file.
pub const PICTURE_MILLISECONDS: u64 = 5_000;
/// Milliseconds to look for codes in one frame of a camera or video.
pub const FRAME_MILLISECONDS: u64 = 250;
/// Octets of an answer of the process that decodes pictures.
pub const PICTURE_ANSWER_OCTETS: usize = 1024 * 1024;
/// Octets of a text file of frames: the largest transfer three times over.
pub const FRAME_FILE_OCTETS: usize = 32 * 1024 * 1024;
/// Files looked at in a folder of pictures.
pub const PICTURE_FOLDER_FILES: usize = 20_000;
/// Frames of one video: over 20 minutes of 15 a second.
pub const VIDEO_FRAMES: u32 = 20_000;
/// Cameras listed.
pub const CAMERAS: usize = 64;
/// Formats of one camera.
pub const CAMERA_FORMATS: usize = 64;
/// Octets taken from a hand scanner at once.
pub const SCANNER_OCTETS: usize = 4_096;
/// Octets of one line of a hand scanner; the largest code holds 4,296 characters.
pub const SCANNER_LINE_OCTETS: usize = 8_192;
/// Octets of one envelope, its header line included: what may cross the gap in one go.
pub const ENVELOPE_OCTETS: usize = 4 * 1024 * 1024;
/// Characters of the name in an envelope.
pub const ENVELOPE_NAME_CHARS: usize = 64;
/// Octets in which the header line of an envelope ends.
pub const ENVELOPE_HEADER_OCTETS: usize = 192;
/// Octets of an object a ceremony takes in, where it is none that may be large: PEM of a certificate signed with SLH-DSA is about 50 KB.
pub const TAKEN_IN_OCTETS: u64 = 64 * 1024;
/// Octets of an object that may be large, where a step asks for one: PEM of a CRL of 1 MiB.
pub const TAKEN_IN_LARGE_OCTETS: u64 = 3 * 512 * 1024;
/// Files of a medium looked at when an object is waited for.
pub const OFFERED_FILES: usize = 256;
/// Refused files of a medium that are named.
pub const OFFERED_REFUSALS: usize = 8;
/// Files that come into a rehearsal.
pub const INCOMING_FILES: usize = 256;
/// Characters of a name that a step gives to what comes in: with an ending it is the name of an envelope.
pub const TAKEN_IN_NAME_CHARS: usize = 48;
/// Characters of one frame: what the largest QR code (version 40, level L) holds in alphanumeric mode.
pub const FRAME_CHARS: usize = 4_296;
/// Source symbols of one transfer.
pub const FRAME_SYMBOLS: usize = 8_192;
/// Fewest octets of a symbol: a QR code of version 3.
pub const FRAME_LEAST_SYMBOL_OCTETS: usize = 16;
/// QR version up to which one code is preferred to many: what any phone reads from a screen.
pub const SINGLE_CODE_VERSION: u8 = 25;
/// Transfers a receiver keeps side by side.
pub const TRANSFERS: usize = 8;
/// Octets of symbols a receiver keeps over all transfers.
pub const TRANSFER_OCTETS: usize = 4 * ENVELOPE_OCTETS;
/// Finished transfers a receiver remembers, so that their frames are known as said before.
pub const TRANSFERS_DONE: usize = 64;
/// Subsets of its symbols that are tried for one transfer before more symbols are asked for.
pub const TRANSFER_SUBSETS: usize = 32;
/// Octets that are decoded, over all subsets, before more symbols are asked for.
pub const TRANSFER_SUBSET_OCTETS: usize = 16 * 1024 * 1024;
/// Different texts printed by one `qr scan --texts`.
pub const SCANNED_TEXTS: usize = 100_000;
/// Messages in UR that are kept side by side.
pub const UR_MESSAGES: usize = 4;
/// Octets of one message in UR, its CBOR head included.
pub const UR_MESSAGE_OCTETS: usize = ENVELOPE_OCTETS + 5;
/// Fragments of one message in UR.
pub const UR_FRAGMENTS: usize = 8_192;
/// Words of 64 bits that are combined in one order of subsets of one message in UR: about a second.
pub const UR_SUBSET_WORDS: usize = 1 << 31;
/// Octets of a text file of frames.
pub const FRAMES_FILE_OCTETS: usize = 64 * 1024 * 1024;
/// Frames one call of `envelope frames` writes.
pub const FRAMES_WRITTEN: u64 = 100_000;
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
/// Octets of an RSAPublicKey that is looked at: 16,384 bits, and an exponent as long.
pub const RSA_KEY_OCTETS: usize = 4_160;
/// Bits of an RSA modulus with which a signature is checked, though larger than what we certify: so that all reasons are said.
pub const RSA_VERIFIED_BITS: usize = 8_192;
/// Bits of an RSA exponent with which a signature is checked (BR 6.1.6).
pub const RSA_EXPONENT_BITS: usize = 256;
/// Characters of a device id: what X.520 allows a serialNumber.
pub const DEVICE_ID_CHARS: usize = 64;
/// Characters of a factory's, product's or profile's name.
pub const FACTORY_NAME_CHARS: usize = 64;
/// Octets of a product's SKU, a firmware's version, a hardware id.
pub const PRODUCT_OCTETS: usize = 64;
/// Octets of the kind of a hardware id, of the name of an extra: below 24, so that CBOR writes the length into the head.
pub const HARDWARE_KIND_OCTETS: usize = 23;
/// Hardware ids of one device.
pub const HARDWARE_IDS: u64 = 16;
/// Octets of a device's lineage.
pub const LINEAGE_OCTETS: usize = 4_096;
/// Characters of an age recipient; a hybrid one has about 1,960.
pub const RECIPIENT_CHARS: usize = 2_400;
/// Octets of a device's certificate; one with ML-DSA-87 has about 8,000.
pub const DEVICE_CERTIFICATE_OCTETS: usize = 32 * 1024;
/// Octets of a device's private key as PKCS#8.
pub const DEVICE_KEY_OCTETS: usize = 8 * 1024;
/// Octets of a device's signature; ML-DSA-87 makes 4,627.
pub const DEVICE_SIGNATURE_OCTETS: usize = 8 * 1024;
/// Extras of one record.
pub const RECORD_EXTRAS: u64 = 16;
/// Octets of one extra.
pub const RECORD_EXTRA_OCTETS: usize = 4_096;
/// Records of one shard.
pub const SHARD_RECORDS: usize = 4_096;
/// Octets of one shard, opened or sealed: 1,000 records with ML-DSA have about 10 MiB.
pub const SHARD_OCTETS: usize = 15 * 1024 * 1024;
/// Records of one bundle.
pub const BUNDLE_RECORDS: u32 = 4_000_000;
/// Octets of a bundle's manifest: 130 octets a shard.
pub const BUNDLE_MANIFEST_OCTETS: usize = 4 * 1024 * 1024;
/// Octets of an order: 100,000 hardware ids of 64 characters.
pub const ORDER_OCTETS: usize = 8 * 1024 * 1024;
/// Octets of one certificate request: an SLH-DSA signature has 29,792.
pub const REQUEST_OCTETS: usize = 64 * 1024;
/// Values one after the other in one place of DER from outside.
pub const DER_VALUES: usize = 256;
/// Places named in which DER from outside is not DER.
pub const DER_FAULTS: usize = 20;
/// Attributes of one name from outside.
pub const NAME_ATTRIBUTES: usize = 20;
/// Characters of a value of a name that are looked at; the longest bound of RFC 5280 is 256.
pub const NAME_CHARS: usize = 512;
/// Octets of a list of published keys: four times what badkeys' was in 2026.
pub const KEY_LIST_OCTETS: usize = 256 * 1024 * 1024;
/// Octets of one entry of a station's ledger.
pub const STATION_ENTRY_OCTETS: usize = 8 * 1024;
/// Notes of unfinished files that are looked at when a station is opened.
pub const STATION_NOTES: usize = 1_000;
/// Octets of a certificate or revocation list of somebody else: lists with a hundred thousand entries have about 4 million.
pub const FOREIGN_PKI_OCTETS: usize = 16 * 1024 * 1024;
/// Shards asked for at once; they are made and taken a few at a time.
pub const SHARDS_AT_ONCE: u32 = 4_096;
/// Octets that go beside one strongroom message: sealed shards, and what of their records is public.
pub const STRONGROOM_CONTENT_OCTETS: usize = 2 * SHARD_OCTETS;
/// Runs of records that are next to each other in one set of them.
pub const PLACES_RUNS: usize = 50_000;
/// Factories one script enrols, and quotas of one factory.
pub const FACTORIES: usize = 64;
pub const QUOTAS: usize = 256;
/// Identities of one product for one factory.
pub const QUOTA: u64 = 1_000_000_000;
/// Seconds for which an authority may sign one batch.
pub const BATCH_SECONDS: u64 = 24 * 60 * 60;
/// Octets of a bundle's manifest as a ceremony makes it: it stands in one line of the record.
pub const RECORDED_MANIFEST_OCTETS: usize = 1024 * 1024;
/// Octets of the outcomes of a receipt: 200,000 with ECDSA proofs.
pub const OUTCOMES_OCTETS: usize = 64 * 1024 * 1024;
/// Classes of refusals that a receipt counts.
pub const REFUSAL_CLASSES: usize = 64;
/// Requests of one collection: while it is judged some 100 octets of each are in memory.
pub const COLLECTED_REQUESTS: u32 = 200_000;
/// Days that an authority in a factory's own module lives: nothing else ends what it may issue.
pub const DELEGATED_DAYS: u32 = 92;
/// Octets of one request of a collection, its attestation included.
pub const COLLECTED_REQUEST_OCTETS: usize = 256 * 1024;
/// Octets of a whole collection: 100,000 requests with ML-DSA-65 and their attestation.
pub const COLLECTED_OCTETS: u64 = 2 * 1024 * 1024 * 1024;
/// Certificates of one device's attestation, and of what a collection's attestations share.
pub const ATTESTATION_CHAIN: usize = 4;
pub const ATTESTATION_SHARED: usize = 32;
/// Refused requests that a record names; the artefact names all.
pub const REFUSALS_RECORDED: usize = 100;
/// Octets of refusals that an artefact gives with every reason in full: of more it names requests by words.
pub const REFUSALS_OCTETS: usize = 8 * 1024 * 1024;
/// Reasons that are given against one request.
pub const REFUSAL_REASONS: usize = 12;
/// Digests of shards that the terms of a batch hold: they stand in one line of the record.
pub const LISTED_SHARDS: usize = 10_000;
/// Attestation roots that one order pins.
pub const ATTESTATION_ROOTS: usize = 16;
/// Octets of a bundle as files on a medium, with room for what goes along: about 250,000 identities.
pub const BUNDLE_EXPORT_OCTETS: u64 = EXPORT_OCTETS - MEDIUM_FILE_OCTETS as u64;
