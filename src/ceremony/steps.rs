//! The closed vocabulary of step kinds: one file each, and one row of this table.
//!
//! A kind says what comes next from the state alone (`next`) and folds an answer or an outcome into it (`take`).

pub mod asking;
mod check_environment;
mod check_log;
mod check_material;
mod check_shares;
mod close_evidence;
mod confirm_clock;
mod deal_shares;
mod delegate;
mod enrol_factory;
mod explain_findings;
mod issue;
pub use issue::found as issue_findings;
mod issue_bundle;
mod issue_certificate;
mod issue_crl;
mod issue_root;
mod judge_requests;
pub use judge_requests::{keys_file, refusals_file};
mod make_key;
mod read_fingerprint;
mod reconcile;
mod roll_call;
mod roll_dice;
mod show_codes;
mod sign_off;
mod statement;
mod take_object;
mod take_request;
mod taking_in;
mod unlock;
pub mod unlocking;
mod write_medium;
pub use write_medium::bundle_file;

use crate::ceremony::effect::{Effect, Operation};
use crate::ceremony::event::{Answer, Moment, Outcome};
use crate::ceremony::prompt::Prompt;
use crate::ceremony::state::State;
use crate::plan::{Plan, Step};
use crate::script::StepKind;
use crate::transcript::Entry;

/// All kinds, in the order in which a ceremony meets them.
static KINDS: [&dyn StepMachine; 27] = [
    &statement::Statement,
    &check_environment::CheckEnvironment,
    &confirm_clock::ConfirmClock,
    &roll_call::RollCall,
    &check_material::CheckMaterial,
    &roll_dice::RollDice,
    &take_request::TakeRequest,
    &take_object::TakeObject,
    &make_key::MakeKey,
    &deal_shares::DealShares,
    &check_shares::CheckShares,
    &enrol_factory::EnrolFactory,
    &judge_requests::JudgeRequests,
    &delegate::Delegate,
    &unlock::Unlock,
    &issue_root::IssueRoot,
    &issue_certificate::IssueCertificate,
    &issue_crl::IssueCrl,
    &issue_bundle::IssueBundle,
    &reconcile::Reconcile,
    &check_log::CheckLog,
    &explain_findings::ExplainFindings,
    &read_fingerprint::ReadFingerprint,
    &show_codes::ShowCodes,
    &write_medium::WriteMedium,
    &sign_off::SignOff,
    &close_evidence::CloseEvidence,
];

/// What a step sees.
pub struct Room<'a> {
    pub plan: &'a Plan,
    pub step: &'a Step,
    pub state: &'a State,
}

/// What a step wants next.
pub enum StepNext {
    Ask(Box<Prompt>),
    Do(Box<Effect>),
    Done,
}

/// What a step is given.
pub enum Input<'a> {
    Answer(&'a Answer),
    Outcome(&'a Outcome),
}

/// What a step signs.
pub struct Signs {
    pub authority: String,
    pub title: String,
    /// Whether a serial number is reserved for it.
    pub serial: bool,
}

/// A kind of step as the machine runs it.
pub trait StepMachine: StepKind {
    fn next(&self, room: &Room<'_>) -> StepNext;

    /// Folds an input into the state; entries beyond the one that carries the event are returned.
    ///
    /// # Errors
    /// Why the input is refused: the state then stays as it was and the same is asked again.
    fn take(
        &self,
        plan: &Plan,
        step: &Step,
        state: &mut State,
        moment: &Moment,
        input: &Input<'_>,
    ) -> Result<Vec<Entry>, String>;

    /// Which authority's key the step signs with, where it signs.
    fn signs(&self, _plan: &Plan, _step: &Step, _state: &State) -> Option<Signs> {
        None
    }

    /// What it would sign, complete; `serial` is the number reserved for it, hexadecimal.
    ///
    /// # Errors
    /// Why it cannot be built.
    fn operation(&self, _: &Plan, step: &Step, _: &State, _serial: &str, _: &Moment) -> Result<Operation, String> {
        Err(format!("step {} signs nothing", step.id))
    }

    /// An effect of this step came to no outcome.
    fn lost(&self, _state: &mut State, _effect: &Effect) {}

    /// The strongroom ended under this step.
    fn strongroom_gone(&self, _state: &mut State) {}
}

/// The table as `script` and `plan` see it.
#[must_use]
pub fn kinds() -> Vec<&'static dyn StepKind> {
    KINDS.iter().map(|kind| *kind as &dyn StepKind).collect()
}

/// The kind of the step at a position of the plan.
#[must_use]
pub fn kind_at(plan: &Plan, position: usize) -> Option<&'static dyn StepMachine> {
    let word = &plan.steps.get(position)?.kind;
    KINDS.iter().find(|kind| kind.word() == word).copied()
}
