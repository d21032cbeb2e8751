//! The strongrooms of a run, three processes that never share memory: the recorder holds the run key, the maker makes keys and
//! signs, the prover receives shares as typed back and never held the secret they make.

use crate::basics::digest::hex_encode;
use crate::basics::{Digest, Realm, Secret};
use crate::ceremony::event::{Answer, ShareVerdict};
use crate::custody::Place;
use crate::custody::quorum::QuorumRecord;
use crate::custody::share::Correction;
use crate::pki::profile::Profile;
use crate::plan::Plan;
use crate::strongroom::{Request, Response, Strongroom};
use std::collections::BTreeMap;

/// What opening a strongroom needs to know.
#[derive(Clone)]
struct Opening {
    realm: Realm,
    ceremony: String,
    plan_digest: Digest,
    profiles: BTreeMap<String, Profile>,
    seed: Option<u64>,
}

/// How strongrooms are reached: as processes, or in this process for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    Processes,
    InProcess,
}

/// A share as typed, and what it is checked against.
pub struct TypedShare {
    pub record: QuorumRecord,
    /// 0 for any share of the quorum.
    pub index: u8,
    pub already: Vec<u8>,
    /// Whether it goes to the maker, to unlock, or to the prover.
    pub unlock: bool,
}

/// The strongrooms of one run.
pub struct Strongrooms {
    opening: Opening,
    reach: Reach,
    recorder: Option<Strongroom>,
    maker: Option<Strongroom>,
    prover: Option<Strongroom>,
}

fn ask(
    strongroom: Option<&mut Strongroom>,
    request: Request,
    secret: Option<Secret>,
) -> Result<(Response, Option<Secret>), String> {
    let strongroom = strongroom.ok_or("the strongroom is not open")?;
    match strongroom.ask(request, secret) {
        Ok((Response::Refused { reason }, _)) => Err(reason),
        Ok(answer) => Ok(answer),
        Err(error) => Err(error.to_string()),
    }
}

impl Strongrooms {
    #[must_use]
    pub fn new(plan: &Plan, draw_digest: Digest, seed: Option<u64>, reach: Reach) -> Self {
        let opening = Opening {
            realm: plan.realm,
            ceremony: plan.ceremony.clone(),
            plan_digest: draw_digest,
            profiles: plan.profiles.clone(),
            seed,
        };
        Self { opening, reach, recorder: None, maker: None, prover: None }
    }

    fn start(&self) -> Result<(Strongroom, Response), String> {
        let mut strongroom = match self.reach {
            Reach::Processes => Strongroom::start().map_err(|e| e.to_string())?,
            Reach::InProcess => Strongroom::in_process(),
        };
        let Opening { realm, ceremony, plan_digest, profiles, seed } = self.opening.clone();
        let (response, _) =
            ask(Some(&mut strongroom), Request::Open { realm, ceremony, plan_digest, profiles, seed }, None)?;
        Ok((strongroom, response))
    }

    /// Starts the recorder where there is none and makes a run key in it.
    ///
    /// # Errors
    /// Where the process does not start.
    pub fn make_run_key(&mut self, run: u32) -> Result<String, String> {
        if self.recorder.is_none() {
            self.recorder = Some(self.start()?.0);
        }
        match ask(self.recorder.as_mut(), Request::MakeRunKey { run }, None)? {
            (Response::RunKey { public_key }, _) => Ok(public_key),
            _ => Err("the strongroom gave no run key".to_owned()),
        }
    }

    /// Signs a checkpoint body with the run key.
    ///
    /// # Errors
    /// Where there is no run key or the body is no checkpoint of this ceremony.
    pub fn sign_checkpoint(&mut self, body: &str) -> Result<String, String> {
        match ask(self.recorder.as_mut(), Request::SignCheckpoint { body: body.to_owned() }, None)? {
            (Response::CheckpointSigned { armoured }, _) => Ok(armoured),
            _ => Err("the strongroom signed no checkpoint".to_owned()),
        }
    }

    /// Starts maker and prover; gives the commitment to the maker's random octets and what protects the process.
    ///
    /// # Errors
    /// Where a process does not start.
    pub fn open(&mut self) -> Result<(Digest, BTreeMap<String, String>), String> {
        let (maker, response) = self.start()?;
        self.prover = Some(self.start()?.0);
        self.maker = Some(maker);
        match response {
            Response::Opened { commitment, protections } => Ok((commitment, protections)),
            _ => Err("the strongroom did not open".to_owned()),
        }
    }

    /// Ends maker and prover; the recorder lives as long as the run.
    pub fn close(&mut self) {
        for strongroom in [&mut self.maker, &mut self.prover].into_iter().flatten() {
            let _ = strongroom.ask(Request::End, None);
        }
        self.maker = None;
        self.prover = None;
    }

    /// Asks the maker.
    ///
    /// # Errors
    /// Why it refuses.
    pub fn maker(&mut self, request: Request) -> Result<(Response, Option<Secret>), String> {
        ask(self.maker.as_mut(), request, None)
    }

    /// The maker itself: a batch asks it many times.
    ///
    /// # Errors
    /// Where it is not open.
    pub fn maker_room(&mut self) -> Result<&mut Strongroom, String> {
        self.maker.as_mut().ok_or_else(|| "the strongroom is not open".to_owned())
    }

    /// Asks the prover whether its shares fit together.
    ///
    /// # Errors
    /// Why they do not.
    pub fn consistent(&mut self, quorum_id: &str, threshold: u8, recipient: &str) -> Result<u64, String> {
        let (quorum_id, recipient) = (quorum_id.to_owned(), recipient.to_owned());
        match ask(self.prover.as_mut(), Request::Consistent { quorum_id, threshold, recipient }, None)? {
            (Response::Consistent { subsets }, _) => Ok(subsets),
            _ => Err("the strongroom did not check".to_owned()),
        }
    }

    /// Opens a sealed key with the shares typed to the maker.
    ///
    /// # Errors
    /// Why it does not open.
    pub fn unlock(
        &mut self,
        authority: &str,
        sealed: &[u8],
        sealed_digest: Digest,
        (quorum_id, recipient): (&str, &str),
        public_key: &str,
        (operations, digests): (Vec<String>, Vec<Digest>),
    ) -> Result<(), String> {
        let request = Request::Unlock {
            authority: authority.to_owned(),
            quorum_id: quorum_id.to_owned(),
            sealed: hex_encode(sealed),
            sealed_digest,
            recipient: recipient.to_owned(),
            public_key: public_key.to_owned(),
            operations,
            digests,
        };
        ask(self.maker.as_mut(), request, None).map(|_| ())
    }

    /// Gives dice to the maker.
    ///
    /// # Errors
    /// Where the process is gone.
    pub fn dice(&mut self, rolls: Secret) -> Result<Answer, String> {
        let maker = self.maker.as_mut().ok_or("the strongroom is not open")?;
        match maker.ask(Request::Dice, Some(rolls)) {
            Ok((Response::Dice { rolls }, _)) => Ok(Answer::Dice { rolls }),
            // Mistyped dice are no dice: asked again with the reason that none were counted.
            Ok(_) => Ok(Answer::Dice { rolls: 0 }),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Gives a typed share to the strongroom it is for; corrections are shown to the custodian before they count.
    ///
    /// # Errors
    /// Where the process is gone.
    pub fn typed_share(
        &mut self,
        typed: TypedShare,
        share: Secret,
        confirm: &mut dyn FnMut(&[Correction]) -> bool,
    ) -> Result<ShareVerdict, String> {
        let strongroom = if typed.unlock { self.maker.as_mut() } else { self.prover.as_mut() };
        let strongroom = strongroom.ok_or("the strongroom is not open")?;
        let request = Request::TypedShare { record: typed.record, index: typed.index, already: typed.already };
        let (response, shown) = strongroom.ask(request, Some(share)).map_err(|e| e.to_string())?;
        let response = match (response, shown) {
            (Response::Corrections, Some(shown)) if confirm(&corrections(&shown)) => {
                strongroom.ask(Request::AcceptCorrections, None).map_err(|e| e.to_string())?.0
            }
            (Response::Corrections, _) => Response::ShareRefused {
                fault: "damaged".to_owned(),
                reason: "the card does not agree with the corrections: read the card again, letter by letter"
                    .to_owned(),
            },
            (other, _) => other,
        };
        Ok(match response {
            Response::Proven { index, corrected } => ShareVerdict::Proven { index, corrected },
            Response::ShareRefused { fault, reason } => ShareVerdict::Refused { fault, reason },
            Response::Refused { reason } => ShareVerdict::Refused { fault: "refused".to_owned(), reason },
            _ => ShareVerdict::Refused {
                fault: "refused".to_owned(),
                reason: "the strongroom gave no verdict".to_owned(),
            },
        })
    }
}

/// The corrections as the strongroom wrote them: one line each, `position line group typed should-be`.
fn corrections(shown: &Secret) -> Vec<Correction> {
    shown
        .expose()
        .split(|octet| *octet == b'\n')
        .filter_map(|line| {
            let mut words = line.splitn(5, |octet| *octet == b' ');
            let mut number = || std::str::from_utf8(words.next()?).ok()?.parse().ok();
            let (position, line, group) = (number()?, number()?, number()?);
            let typed = Secret::take(words.next()?.to_vec());
            let should_be = Secret::take(words.next()?.to_vec());
            Some(Correction { position, place: Place { line, group }, typed, should_be })
        })
        .collect()
}
