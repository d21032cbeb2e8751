//! The simulated people of a rehearsal: their answers, their cards, their keys. Nothing here exists for production.

use crate::basics::limits;
use crate::basics::{Instant, Secret};
use crate::ceremony::event::Answer;
use crate::ceremony::{Ask, Prompt, Sheet};
use crate::custody::card;
use crate::custody::draw::Draws;
use crate::custody::qr;
use crate::custody::share::{Parsed, Share};
use crate::devices::durable_file;
use crate::keys::ssh::SshSigningKey;
use crate::plan::{Plan, Standing};
use crate::runner::folder::Folder;
use crate::runner::front_end::Given;
use crate::runner::take_in;
use crate::transcript::Signer;
use crate::transfer::envelope::Envelope;
use crate::transfer::picture::{Luma, read_codes};
use crate::transfer::receiver::Receiver;
use crate::transfer::sender::{self, Sender};
use std::path::PathBuf;

/// What the simulated person answers to a prompt.
///
/// # Errors
/// Where their card cannot be read.
pub fn answer(plan: &Plan, prompt: &Prompt, folder: &Folder, now: Instant, seed: Option<u64>) -> Result<Given, String> {
    let expected = prompt.rehearsal_answer.clone().unwrap_or_default();
    let initials = |person: &str| plan.person(person).map(|p| p.initials.clone()).unwrap_or_default();
    Ok(match &prompt.ask {
        Ask::Initials { person } => Given::Answer(Answer::Initials { initials: initials(person) }),
        // A simulated watch shows the simulated time.
        Ask::Text { .. } if expected == "now" => Given::Answer(Answer::Typed { text: now.hours_minutes() }),
        Ask::Text { .. } => Given::Answer(Answer::Typed { text: expected }),
        Ask::Phrase { phrase } => Given::Answer(Answer::Typed { text: phrase.clone() }),
        Ask::Choice { options } => {
            let key =
                if expected.is_empty() { options.first().map(|o| o.key.clone()).unwrap_or_default() } else { expected };
            Given::Answer(Answer::Chosen { key })
        }
        Ask::Dice { least } => Given::Secret(dice(plan, seed, *least)),
        Ask::Share { quorum, card, holder, .. } => Given::Secret(read_card(folder, quorum, *card, holder)?),
        Ask::Object { .. } => Given::Answer(take_in::simulated(plan.realm, &prompt.ask, folder)?),
        Ask::SignOff { person } => {
            Given::Answer(Answer::SignOff { initials: initials(person), agree: true, remark: String::new() })
        }
        Ask::Sheet { expected, happened, decided } => {
            let by = plan.people.iter().take(2).map(|p| p.initials.clone()).collect();
            let sheet = Sheet {
                expected: expected.clone(),
                happened: happened.clone(),
                decided: decided.clone(),
                by,
                skip: false,
            };
            Given::Answer(Answer::Exception { sheet })
        }
    })
}

/// The simulated other side: takes the object in from the texts of its codes, and keeps it as `media/across/NAME`.
///
/// # Errors
/// Where what arrives is not what was sent.
pub fn other_side(folder: &Folder, sent: &Envelope) -> Result<(), String> {
    let mut receiver = Receiver::new();
    let arrived = match sender::single(sent) {
        Some(text) => {
            receiver.take(&text);
            receiver.whole()
        }
        None => {
            let sender =
                Sender::new(sent, sender::symbol_octets_of(sender::USUAL_VERSION)).map_err(|e| e.to_string())?;
            // From somewhere in the middle, as a camera that is switched on late: twice as many codes are plenty.
            let codes = u64::from(sender.source_frames());
            (codes..codes * 3 + 2).find_map(|n| {
                receiver.take(&sender.frame(n));
                receiver.whole()
            })
        }
    };
    let arrived = arrived.filter(|arrived| arrived.digest() == sent.digest());
    let arrived = arrived.ok_or_else(|| format!("{}: the simulated other side took in something else", sent.name()))?;
    let across = folder.media().join("across");
    durable_file::folder(&across).map_err(|e| e.to_string())?;
    let path = across.join(arrived.name());
    if path.exists() {
        // Shown once more.
        return Ok(());
    }
    durable_file::create(&path, arrived.octets()).map_err(|e| e.to_string())
}

/// Simulated dice: seeded, and never shown.
fn dice(plan: &Plan, seed: Option<u64>, least: u32) -> Secret {
    let digest = plan.draw_digest().unwrap_or_else(|_| crate::basics::Digest::of(b"no digest"));
    let draws = Draws::rehearsal(seed.unwrap_or(0), &plan.ceremony, &digest);
    let least = least as usize;
    let octets = draws.expand("room", "dice", 0, 0, least * 4);
    let mut rolls = Secret::with_capacity(least);
    // 252 is the largest multiple of 6 below 256: without it sides 1 to 4 would come up more often.
    for octet in octets.expose().iter().filter(|octet| **octet < 252).take(least) {
        rolls.push(b'1' + octet % 6);
    }
    rolls
}

/// The simulated custodian's key for attestations.
///
/// # Errors
/// Where drawing fails, which 32 octets never do.
pub fn participant_key(plan: &Plan, seed: u64, person: usize) -> Result<SshSigningKey, String> {
    let digest = plan.draw_digest().map_err(|e| e.to_string())?;
    let index = u32::try_from(person).unwrap_or(u32::MAX);
    let octets = Draws::rehearsal(seed, &plan.ceremony, &digest).expand("room", "participant", index, 0, 32);
    let octets: [u8; 32] = octets.expose().try_into().map_err(|_| "expected 32 octets")?;
    SshSigningKey::from_seed(&octets).map_err(|e| e.to_string())
}

/// The signers of a rehearsal: simulated, one for each person of the plan.
///
/// # Errors
/// As [`participant_key`].
pub fn signers(plan: &Plan, seed: u64) -> Result<Vec<Signer>, String> {
    plan.people
        .iter()
        .enumerate()
        .map(|(index, person)| {
            let key = participant_key(plan, seed, index)?;
            Ok(Signer {
                name: person.name.clone(),
                person: person.id.clone(),
                public_key: key.public().line().to_owned(),
            })
        })
        .collect()
}

fn card_path(folder: &Folder, quorum: &str, index: u8, holder: &str) -> PathBuf {
    folder.media().join(holder).join(format!("card-{quorum}-{index}.txt"))
}

/// Writes the card of a simulated custodian; a newer generation's card takes the place of a destroyed one.
///
/// # Errors
/// Where the disk refuses.
pub fn write_card(
    folder: &Folder,
    plan: &Plan,
    quorum: &str,
    generation: u8,
    index: u8,
    holder: &str,
    text: &Secret,
) -> Result<(), String> {
    let path = card_path(folder, quorum, index, holder);
    if let Some(parent) = path.parent() {
        durable_file::folder(parent).map_err(|e| e.to_string())?;
    }
    let Ok(Parsed::Exact(share)) = Share::parse(text.expose_text()) else {
        return Err("the share does not parse".to_owned());
    };
    let labels = card::Labels { quorum, holder: &plan.name_of(holder) };
    let front = card::front(&share, &labels).map_err(|e| e.to_string())?;
    let header = format!("simulated card of generation {generation}, share {index}\n");
    let back = card::back(plan.quorum(quorum).map(|q| q.recipient).unwrap_or_default().identity_prefix());
    let parts = [header.as_bytes(), text.expose(), b"\n\n", front.expose(), b"\n", back.as_bytes()];
    // One piece of memory that never grows: growing would leave copies of the share behind.
    let mut whole = Secret::with_capacity(parts.iter().map(|part| part.len()).sum());
    for &octet in parts.into_iter().flatten() {
        whole.push(octet);
    }
    durable_file::replace(&path, whole.expose()).map_err(|e| e.to_string())
}

/// Simulated custodians bring the cards they wrote in an earlier rehearsal.
///
/// # Errors
/// Where a card is missing or the disk refuses.
pub fn bring_cards(from: &Folder, to: &Folder, standing: &Standing) -> Result<(), String> {
    for (name, quorum) in &standing.quorums {
        for (position, holder) in quorum.holders.iter().enumerate() {
            let index = u8::try_from(position + 1).unwrap_or(u8::MAX);
            let path = card_path(to, name, index, holder);
            if let Some(parent) = path.parent() {
                durable_file::folder(parent).map_err(|e| e.to_string())?;
            }
            let card = durable_file::read(&card_path(from, name, index, holder), limits::SMALL_FILE_OCTETS);
            let card = Secret::take(card.map_err(|e| e.to_string())?);
            durable_file::replace(&path, card.expose()).map_err(|e| e.to_string())?;
        }
    }
    Ok(())
}

/// What was kept of the bundles of the chain goes along, as the machine that made them has it.
///
/// # Errors
/// Where it cannot be copied.
pub fn bring_issued(from: &Folder, to: &Folder) -> Result<(), String> {
    let Ok(entries) = std::fs::read_dir(from.issued()) else { return Ok(()) };
    durable_file::folder(&to.issued()).map_err(|e| e.to_string())?;
    for entry in entries.flatten() {
        let (old, new) = (entry.path(), to.issued().join(entry.file_name()));
        if std::fs::hard_link(&old, &new).is_err() {
            std::fs::copy(&old, &new).map_err(|e| format!("{}: {e}", new.display()))?;
        }
    }
    Ok(())
}

/// The simulated camera before a simulated card: the code of the share as a picture, read like any other.
///
/// # Errors
/// Where the card cannot be read.
pub fn scan_card(folder: &Folder, quorum: &str, index: u8, holder: &str) -> Result<Secret, String> {
    const MODULE: usize = 4;
    let text = read_card(folder, quorum, index, holder)?;
    let mut capitals = Secret::with_capacity(text.len());
    for octet in text.expose() {
        capitals.push(octet.to_ascii_uppercase());
    }
    let code = qr::modules(&capitals, qr::Medium::Paper).map_err(|e| e.to_string())?;
    let side = (code.size() + 8) * MODULE;
    let dark = |at: usize| {
        let (column, row) = ((at % side / MODULE).checked_sub(4), (at / side / MODULE).checked_sub(4));
        column.zip(row).is_some_and(|(column, row)| code.is_dark(column, row))
    };
    let picture = (0..side * side).map(|at| if dark(at) { 0 } else { u8::MAX }).collect();
    let picture = Luma::new(side, side, picture).map_err(|e| e.to_string())?;
    let text = read_codes(&picture, &mut || true).texts().into_iter().next();
    text.map(Secret::take_text).ok_or_else(|| "the simulated camera saw no code".to_owned())
}

/// The share on a simulated custodian's card: its second line.
fn read_card(folder: &Folder, quorum: &str, index: u8, holder: &str) -> Result<Secret, String> {
    let path = card_path(folder, quorum, index, holder);
    let octets = durable_file::read(&path, limits::SMALL_FILE_OCTETS).map_err(|e| e.to_string())?;
    let line = octets.split(|octet| *octet == b'\n').nth(1).unwrap_or_default().to_vec();
    let _rest = Secret::take(octets);
    Ok(Secret::take(line))
}
