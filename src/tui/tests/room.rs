//! A small room with a small plan, made by hand, and the few moves tests make in it.

use crate::basics::{Digest, Instant, Realm, Secret};
use crate::ceremony::event::Answer;
use crate::ceremony::prompt::{Ask, ChoiceOption, Line, Prompt};
use crate::ceremony::state::State;
use crate::custody::share::{Correction, Parsed, Share};
use crate::plan::{Person, Plan, Step};
use crate::runner::front_end::{Ending, Given, RevealedShare, WayIn};
use crate::transcript::Level;
use crate::tui::input::{Input, Key};
use crate::tui::model::{Done, Happening, Message, Model, Room, Stage};
use crate::tui::theme::Theme;
use crate::tui::update::update;
use crate::tui::view::view;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use std::collections::{BTreeMap, BTreeSet};

pub const SMALL: (u16, u16) = (80, 24);
pub const LARGE: (u16, u16) = (120, 40);
/// A rehearsal share that parses, and what it is typed as with two mistakes.
pub const TEXT: &str = "KR1QXWLE5GPQGPSZMS0UDX02ZATJ54NNYZML2KGP8J9QS24VV6RT5NUAX6UE423004607MSL295C0T6P";
/// Long after anything was drawn.
pub const LATER: u64 = 60_000;

/// Everything a model borrows.
pub struct Fixture {
    pub plan: Plan,
    pub state: State,
    pub skipped: BTreeSet<usize>,
    pub ways_in: Vec<WayIn>,
}

fn person(id: &str, name: &str, initials: &str, role: &str) -> Person {
    Person {
        id: id.to_owned(),
        name: name.to_owned(),
        initials: initials.to_owned(),
        public_key: String::new(),
        roles: vec![role.to_owned()],
    }
}

fn step(number: u32, act: u32, title: &str, who: &str, skippable: bool) -> Step {
    Step {
        id: format!("step-{number}"),
        number,
        act,
        title: title.to_owned(),
        kind: "statement".to_owned(),
        who: who.to_owned(),
        role: "administrator".to_owned(),
        confirm: vec!["ben".to_owned()],
        minutes: 3,
        say: "We compare what the screen shows with our papers.\nNobody hurries anybody.".to_owned(),
        params: BTreeMap::new(),
        level: Level::Public,
        skippable,
    }
}

impl Fixture {
    pub fn in_realm(realm: Realm) -> Self {
        let titles = [
            (0, "Look at the machine"),
            (0, "Compare the clock"),
            (1, "Make the quorum identity and the root key"),
            (1, "Deal share 1 of 3 to Ada Byron"),
            (1, "Check the shares against each other"),
            (2, "Issue the root certificate"),
            (2, "Do you agree?"),
        ];
        let steps = (1..).zip(titles).map(|(n, (act, title))| step(n, act, title, "ada", n % 2 == 1)).collect();
        let plan = Plan {
            realm,
            script_digest: Digest::of(b"script"),
            name: "root-2026".to_owned(),
            ceremony: "root-2026-1".to_owned(),
            title: "Root CA 2026".to_owned(),
            purpose: "the root key of the devices".to_owned(),
            tool_floor: "0.1.0".to_owned(),
            previous_head: String::new(),
            policy_oid: "1.3.6.1.4.1.32473.1".to_owned(),
            people: vec![
                person("ada", "Ada Byron", "AB", "administrator"),
                person("ben", "Ben Oakes", "BO", "witness"),
                person("cleo", "Cleo Marsh", "CM", "custodian"),
            ],
            quorums: Vec::new(),
            authorities: Vec::new(),
            materials: Vec::new(),
            acts: vec!["Open".to_owned(), "Protect".to_owned(), "Issue".to_owned()],
            steps,
            profiles: BTreeMap::new(),
            profile_digests: BTreeMap::new(),
            certificates: Vec::new(),
            revocations: Vec::new(),
            factories: Vec::new(),
            requests: BTreeMap::new(),
            oid_arc: String::new(),
            rehearsed_at: None,
            follows: String::new(),
            standing: None,
        };
        let state = State { opened: true, begun: true, step: 2, ..State::default() };
        Self { plan, state, skipped: BTreeSet::from([1]), ways_in: ways_in() }
    }

    pub fn rehearsal() -> Self {
        Self::in_realm(Realm::Rehearsal)
    }

    pub fn production() -> Self {
        Self::in_realm(Realm::Production)
    }

    pub fn room(&self) -> Room<'_> {
        Room {
            plan: &self.plan,
            state: &self.state,
            plan_digest: Digest::of(b"plan"),
            head: Digest::of(b"head"),
            skipped: &self.skipped,
            ways_in: &self.ways_in,
        }
    }

    /// A model of a stage, drawn at 0.
    pub fn model<'a>(&'a self, stage: Stage<'a>, size: (u16, u16)) -> Model<'a> {
        drawn(Model::new(self.room(), noon(), stage, size), 0)
    }

    pub fn asking<'a>(&'a self, prompt: &'a Prompt, size: (u16, u16)) -> Model<'a> {
        self.model(Model::ask(prompt), size)
    }
}

pub fn noon() -> Instant {
    Instant::parse("2026-11-22T14:02:31Z").unwrap()
}

pub fn send<'a>(model: Model<'a>, at: u64, what: Happening) -> (Model<'a>, Option<Done>) {
    update(model, Message { at, clock: noon(), what })
}

pub fn drawn(model: Model<'_>, at: u64) -> Model<'_> {
    send(model, at, Happening::Drawn).0
}

pub fn press(model: Model<'_>, key: Key) -> (Model<'_>, Option<Done>) {
    press_at(model, LATER, key)
}

pub fn press_at(model: Model<'_>, at: u64, key: Key) -> (Model<'_>, Option<Done>) {
    let (model, done) = send(model, at, Happening::Input(Input::Key(key)));
    (drawn(model, at), done)
}

/// Types a text; `\n` is Enter, `\t` is Tab. Stops where something comes of it.
pub fn typed<'a>(mut model: Model<'a>, text: &str) -> (Model<'a>, Option<Done>) {
    for character in text.chars() {
        let key = match character {
            '\n' => Key::Enter,
            '\t' => Key::Tab,
            other => Key::Char(other),
        };
        let (next, done) = press(model, key);
        model = next;
        if done.is_some() {
            return (model, done);
        }
    }
    (model, None)
}

pub fn pasted<'a>(model: Model<'a>, text: &str) -> Model<'a> {
    send(model, LATER, Happening::Input(Input::Paste(text.to_owned().into()))).0
}

pub fn answer(done: Option<Done>) -> Answer {
    match done {
        Some(Done::Given(Given::Answer(answer))) => answer,
        Some(Done::Given(Given::Secret(_))) => panic!("expected an answer, found a secret"),
        Some(_) => panic!("expected an answer, found something else"),
        None => panic!("expected an answer, found none"),
    }
}

pub fn secret(done: Option<Done>) -> Secret {
    match done {
        Some(Done::Given(Given::Secret(secret))) => secret,
        _ => panic!("expected a secret"),
    }
}

/// The screen as text: one line a row.
pub fn screen(model: &Model<'_>) -> String {
    screen_in(model, Theme::Colour)
}

pub fn screen_in(model: &Model<'_>, theme: Theme) -> String {
    let mut terminal = Terminal::new(TestBackend::new(model.width, model.height)).unwrap();
    terminal.draw(|frame| view(model, theme, frame)).unwrap();
    // `TestBackend` cannot print an empty screen.
    if model.width == 0 || model.height == 0 { String::new() } else { terminal.backend().to_string() }
}

fn prompt(ask: Ask, lines: Vec<Line>) -> Prompt {
    Prompt {
        who: "ada".to_owned(),
        title: "Is this the machine, and is it as it should be?".to_owned(),
        lines,
        ask,
        next: "Ben Oakes does the same".to_owned(),
        rehearsal_answer: None,
        refusal: None,
        grave: false,
    }
}

pub fn initials() -> Prompt {
    let lines = vec![
        Line::Good { text: "no network interface is up".into() },
        Line::Bad { text: "bluetooth adapter hci0, expected none".into() },
        Line::value("tool", "4f1c 9a07 cinder mango"),
    ];
    prompt(Ask::Initials { person: "ada".to_owned() }, lines)
}

pub fn refused() -> Prompt {
    Prompt { refusal: Some("expected the initials of Ada Byron, found those of Ben Oakes".to_owned()), ..initials() }
}

pub fn text() -> Prompt {
    let ask = Ask::Text { label: "time on your watch, UTC".to_owned(), example: "14:02".to_owned() };
    prompt(ask, vec![Line::text("Look at your own watch, not at the screen.")])
}

pub fn phrase() -> Prompt {
    let lines = vec![
        Line::value("sign", "the root certificate of root-2026"),
        Line::value("valid", "2026-11-22T00:00:00Z until 2051-11-22T00:00:00Z"),
        Line::Gap,
        Line::digest("operation", Digest::of(b"operation")),
    ];
    let ask = Ask::Phrase { phrase: "umbrella talon crisp".to_owned() };
    Prompt { grave: true, ..prompt(ask, lines) }
}

/// More lines than any small screen holds.
pub fn long_phrase() -> Prompt {
    let lines = (1..=60).map(|n| Line::value(&format!("value {n}"), &format!("the value numbered {n}"))).collect();
    Prompt { lines, ..phrase() }
}

pub fn choice() -> Prompt {
    let options = vec![
        ChoiceOption { key: "r".to_owned(), title: "look again".to_owned() },
        ChoiceOption { key: "go".to_owned(), title: "go on as it is".to_owned() },
    ];
    prompt(Ask::Choice { options }, vec![Line::text("The machine is not as it should be.")])
}

pub fn dice() -> Prompt {
    prompt(Ask::Dice { least: 10 }, vec![Line::text("Throw a die at least 10 times and type the numbers.")])
}

pub fn share_for(purpose: &str) -> Prompt {
    let ask = Ask::Share {
        quorum: "root-2026".to_owned(),
        index: 1,
        card: 1,
        count: 3,
        holder: "cleo".to_owned(),
        purpose: purpose.to_owned(),
    };
    let lines = vec![
        Line::text("Cleo Marsh, type your share back from your own card."),
        Line::value("proven", "0 of 3; nothing is signed before all are"),
    ];
    Prompt { who: "cleo".to_owned(), title: "Prove share 1 of 3".to_owned(), ..prompt(ask, lines) }
}

pub fn object() -> Prompt {
    let ask = Ask::Object {
        kind: "csr".to_owned(),
        name: "issuing-2026.csr.pem".to_owned(),
        what: "the certificate request of issuing-2026".to_owned(),
        most: 65_536,
    };
    prompt(ask, vec![Line::value("wanted", "the certificate request of issuing-2026")])
}

fn ways_in() -> Vec<WayIn> {
    let way = |key: &str, title: &str, typed: Option<&str>| WayIn {
        key: key.to_owned(),
        title: title.to_owned(),
        typed: typed.map(str::to_owned),
    };
    vec![
        way("1", "the camera or scanner desk-camera", None),
        way("2", "the medium transport, at /media/usb1", None),
        way("3", "pictures of codes in a folder", Some("its path")),
    ]
}

pub fn sign_off() -> Prompt {
    let lines = vec![
        Line::text("I was present, the script was followed except as noted."),
        Line::value("root.crt", &Digest::of(b"root").grouped()),
    ];
    prompt(Ask::SignOff { person: "ada".to_owned() }, lines)
}

pub fn sheet() -> Prompt {
    let ask = Ask::Sheet {
        expected: "all shares of quorum root-2026, generation 1, proven".to_owned(),
        happened: "the strongroom ended before all were proven".to_owned(),
        decided: "cards of this generation destroyed; key and shares made again".to_owned(),
    };
    prompt(ask, vec![Line::text("Nothing depends on generation 1. Collect its cards and destroy them.")])
}

/// Every kind of question, by name.
pub fn questions() -> Vec<(&'static str, Prompt)> {
    vec![
        ("initials", initials()),
        ("refused", refused()),
        ("text", text()),
        ("phrase", phrase()),
        ("long_phrase", long_phrase()),
        ("choice", choice()),
        ("dice", dice()),
        ("share", share_for("prove")),
        ("object", object()),
        ("sign_off", sign_off()),
        ("sheet", sheet()),
    ]
}

pub fn revealed() -> RevealedShare {
    RevealedShare {
        holder: "cleo".to_owned(),
        quorum: "root-2026".to_owned(),
        generation: 1,
        index: 1,
        count: 3,
        threshold: 2,
        text: Secret::take_text(TEXT.to_owned()),
    }
}

/// What a share typed with two mistakes is corrected to.
pub fn corrections() -> Vec<Correction> {
    let mut typed: Vec<char> = TEXT.chars().collect();
    typed[30] = 'Q';
    typed[55] = 'Q';
    match Share::parse(&typed.into_iter().collect::<String>()).unwrap() {
        Parsed::Corrected { corrections, .. } => corrections,
        Parsed::Exact(_) => panic!("expected mistakes"),
    }
}

pub fn ending() -> Ending {
    Ending {
        title: "The record is closed.".to_owned(),
        lines: vec![
            "7 steps done, 1 skipped, 1 exception".to_owned(),
            format!("head  {}", Digest::of(b"head").grouped()),
            format!("      {}", Digest::of(b"head").twelve_words()),
        ],
    }
}
