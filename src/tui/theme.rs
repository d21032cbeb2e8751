//! Colours and attributes, and nothing else: a theme never changes a character (held by `tests/theme.rs`).
//!
//! crossterm's own reading of NO_COLOR is switched off (`terminal`), because it would also take the colours from a QR
//! code, which are content. So NO_COLOR, `TERM=dumb` and `--no-color` are honoured here.

use ratatui::style::{Color, Modifier, Style};

/// What a piece of text is; how that looks is the theme's business.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    /// Something the room should notice: a note, keys that were dropped.
    Notice,
    /// A key in the hint bar.
    Key,
    /// The realm word of a production ceremony.
    Production,
    /// The realm word of a rehearsal.
    Rehearsal,
    /// The step that is being done, the field that is being typed.
    Now,
}

impl Tone {
    /// Every tone, for tests.
    pub const ALL: [Tone; 10] = [
        Tone::Plain,
        Tone::Strong,
        Tone::Faint,
        Tone::Good,
        Tone::Bad,
        Tone::Notice,
        Tone::Key,
        Tone::Production,
        Tone::Rehearsal,
        Tone::Now,
    ];
}

/// How much the terminal may be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Theme {
    /// The terminal's own sixteen colours, so that a person's choice of colours is kept.
    Colour,
    /// Bold, faint and reversed only.
    Monochrome,
    /// Nothing at all.
    Bare,
}

impl Theme {
    /// Reads `NO_COLOR` (set and not empty, no-color.org) and `TERM`; `no_color` is the flag of the command line.
    #[must_use]
    pub fn of_environment(no_color: bool) -> Self {
        let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
        if set("TERM").is_some_and(|term| term == "dumb") {
            Theme::Bare
        } else if no_color || set("NO_COLOR").is_some() {
            Theme::Monochrome
        } else {
            Theme::Colour
        }
    }

    #[must_use]
    pub fn style(self, tone: Tone) -> Style {
        match self {
            Theme::Bare => Style::new(),
            Theme::Monochrome => Style::new().add_modifier(attributes(tone)),
            Theme::Colour => {
                let style = Style::new().add_modifier(attributes(tone));
                colour(tone).map_or(style, |colour| style.fg(colour))
            }
        }
    }
}

const fn attributes(tone: Tone) -> Modifier {
    match tone {
        Tone::Plain | Tone::Good => Modifier::empty(),
        Tone::Strong | Tone::Key | Tone::Now | Tone::Notice | Tone::Bad | Tone::Rehearsal => Modifier::BOLD,
        Tone::Faint => Modifier::DIM,
        Tone::Production => Modifier::REVERSED.union(Modifier::BOLD),
    }
}

const fn colour(tone: Tone) -> Option<Color> {
    match tone {
        Tone::Plain | Tone::Strong | Tone::Faint => None,
        Tone::Good => Some(Color::Green),
        Tone::Bad | Tone::Production => Some(Color::Red),
        Tone::Notice => Some(Color::Yellow),
        Tone::Key | Tone::Now | Tone::Rehearsal => Some(Color::Cyan),
    }
}
