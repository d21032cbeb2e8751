//! What is drawn: header, agenda, the one thing to do, the fields, the hints. Values are wrapped, never cut.

use crate::basics::SafeText;
use crate::ceremony::Prompt;
use crate::runner::front_end::View;
use crate::tui::form::{Form, Taking};
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

pub const LEAST_WIDTH: u16 = 80;
pub const LEAST_HEIGHT: u16 = 24;
const AGENDA: u16 = 28;

/// The one thing on the screen, as text.
pub struct Shown {
    pub title: String,
    pub lines: Vec<String>,
    pub next: String,
    pub acting: String,
    pub refusal: String,
    /// Answering cannot be undone: type-ahead is dropped and the end must have been seen.
    pub grave: bool,
}

impl Shown {
    #[must_use]
    pub fn titled(title: &str, lines: Vec<String>) -> Self {
        let visible = |line: &String| SafeText::of(line).to_string();
        Self {
            title: SafeText::of(title).to_string(),
            lines: lines.iter().map(visible).collect(),
            next: String::new(),
            acting: String::new(),
            refusal: String::new(),
            grave: false,
        }
    }

    #[must_use]
    pub fn prompt(view: &View<'_>, prompt: &Prompt) -> Self {
        let mut lines = Vec::new();
        for line in &prompt.lines {
            lines.extend(line.plain().split('\n').map(str::to_owned));
        }
        if let Some(step) = view.plan.steps.get(view.state.step) {
            lines.push(String::new());
            lines.push(format!("read aloud: {}", SafeText::of(&step.say)));
        }
        Self {
            title: SafeText::of(&prompt.title).to_string(),
            lines,
            next: prompt.next.clone(),
            acting: SafeText::of(&view.plan.name_of(&prompt.who)).to_string(),
            refusal: prompt.refusal.as_ref().map(|r| SafeText::of(r).to_string()).unwrap_or_default(),
            grave: prompt.grave,
        }
    }
}

/// Breaks text into lines of a width, at blanks where there are any.
#[must_use]
pub fn wrapped(text: &str, width: usize) -> Vec<String> {
    let width = width.max(1);
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_inclusive(' ') {
        if !line.is_empty() && line.chars().count() + word.trim_end().chars().count() > width {
            lines.push(std::mem::take(&mut line).trim_end().to_owned());
        }
        for character in word.chars() {
            if line.chars().count() >= width {
                lines.push(std::mem::take(&mut line));
            }
            line.push(character);
        }
    }
    lines.push(line.trim_end().to_owned());
    lines
}

/// Draws everything; says whether the end of the prompt is on the screen.
pub fn draw(frame: &mut Frame<'_>, view: &View<'_>, shown: &Shown, form: &Form) -> bool {
    let area = frame.area();
    if area.width < LEAST_WIDTH || area.height < LEAST_HEIGHT {
        let text = format!("{LEAST_WIDTH}x{LEAST_HEIGHT} needed, this is {}x{}", area.width, area.height);
        frame.render_widget(Paragraph::new(text), area);
        return false;
    }
    let rows = Layout::vertical([Constraint::Length(3), Constraint::Min(10), Constraint::Length(2)]).split(area);
    let [head, body, foot] = <[Rect; 3]>::try_from(rows.as_ref()).unwrap_or([area; 3]);
    header(frame, view, head);
    let columns = Layout::horizontal([Constraint::Length(AGENDA), Constraint::Min(40)]).split(body);
    let [left, right] = <[Rect; 2]>::try_from(columns.as_ref()).unwrap_or([body; 2]);
    agenda(frame, view, left);
    let seen = prompt(frame, shown, form, right);
    hints(frame, view, shown, foot);
    seen
}

fn header(frame: &mut Frame<'_>, view: &View<'_>, area: Rect) {
    let plan = view.plan;
    let step = plan.steps.get(view.state.step);
    let act = step.map_or(plan.acts.len(), |s| s.act as usize + 1);
    let act_title = act.checked_sub(1).and_then(|a| plan.acts.get(a)).map_or("", String::as_str);
    let realm = if plan.realm.is_rehearsal() {
        Style::new().add_modifier(Modifier::BOLD)
    } else {
        Style::new().add_modifier(Modifier::REVERSED)
    };
    // Beside the plan's words there is room for so much; the titles give way.
    let room = (area.width as usize).saturating_sub(62).max(12);
    let short = |text: &str| SafeText::of(text).as_str().chars().take(room).collect::<String>();
    let first = format!(" │ {} │ act {act} of {} {}", short(&plan.title), plan.acts.len(), short(act_title));
    let head: String = view.head.hex().chars().take(8).collect();
    // The head is what people note: the step's title gives way, never the head.
    let most = (area.width as usize).saturating_sub(56);
    let second = step.map_or_else(
        || " all steps done".to_owned(),
        |s| {
            let title: String = SafeText::of(&s.title).as_str().chars().take(most).collect();
            format!(
                " step {} of {} · {title} · {} min left",
                s.number,
                plan.steps.len(),
                plan.minutes_left_in_act(view.state.step)
            )
        },
    );
    let right =
        |text: &str, used: usize| " ".repeat((area.width as usize).saturating_sub(used + text.chars().count() + 1));
    let label = format!("plan {}", view.plan_digest.label());
    let stamp = format!("{} UTC · head {head}", view.clock.peek().hours_minutes());
    let banner = format!(" {}", plan.realm.banner());
    let lines = vec![
        Line::from(vec![
            Span::styled(banner.clone(), realm),
            Span::raw(first.clone()),
            Span::raw(right(&label, banner.chars().count() + first.chars().count())),
            Span::raw(label.clone()),
        ]),
        Line::from(format!("{second}{}{stamp}", right(&stamp, second.chars().count()))),
        Line::from("─".repeat(area.width as usize)),
    ];
    frame.render_widget(Paragraph::new(lines), area);
}

fn agenda(frame: &mut Frame<'_>, view: &View<'_>, area: Rect) {
    let at = view.state.step;
    let height = area.height as usize;
    let from = at.saturating_sub(height / 2).min(view.plan.steps.len().saturating_sub(height));
    let lines: Vec<Line<'_>> = view
        .plan
        .steps
        .iter()
        .enumerate()
        .skip(from)
        .take(height)
        .map(|(index, step)| {
            let mark = match index.cmp(&at) {
                std::cmp::Ordering::Less => "✓",
                std::cmp::Ordering::Equal => "▶",
                std::cmp::Ordering::Greater => "·",
            };
            let title: String = SafeText::of(&step.title).as_str().chars().take(20).collect();
            let text = format!(" {mark} {:>2} {title}", step.number);
            if index == at {
                Line::from(text).style(Style::new().add_modifier(Modifier::BOLD))
            } else {
                Line::from(text)
            }
        })
        .collect();
    frame.render_widget(Paragraph::new(lines), area);
}

fn prompt(frame: &mut Frame<'_>, shown: &Shown, form: &Form, area: Rect) -> bool {
    let width = (area.width as usize).saturating_sub(2);
    let bold = Style::new().add_modifier(Modifier::BOLD);
    let mut top: Vec<Line<'_>> = Vec::new();
    if !shown.acting.is_empty() {
        top.push(Line::from(format!("acting: {}", shown.acting)));
    }
    top.extend(wrapped(&shown.title, width).into_iter().map(|l| Line::from(l).style(bold)));
    top.extend(
        Some(&shown.refusal)
            .filter(|r| !r.is_empty())
            .into_iter()
            .flat_map(|r| wrapped(&format!("✗ not taken: {r}"), width))
            .map(|l| Line::from(l).style(bold)),
    );
    top.push(Line::from(""));
    let bottom = fields(shown, form, width);
    let body: Vec<String> = shown.lines.iter().flat_map(|line| wrapped(line, width)).collect();
    let room = (area.height as usize).saturating_sub(top.len() + bottom.len()).max(1);
    let offset = form.offset.min(body.len().saturating_sub(room));
    let seen = offset + room >= body.len();
    let mut lines = top;
    lines.extend(body.into_iter().skip(offset).take(room).map(Line::from));
    lines.extend(bottom);
    frame.render_widget(Paragraph::new(lines), area);
    seen
}

fn fields<'l>(shown: &Shown, form: &Form, width: usize) -> Vec<Line<'l>> {
    let mut lines = vec![Line::from("")];
    for (index, field) in form.fields.iter().enumerate() {
        let cursor = if index == form.at { "▏" } else { "" };
        lines.extend(wrapped(&field.label, width).into_iter().map(Line::from));
        let value = match field.taking {
            Taking::Dice => format!("{} rolls", field.secret.len()),
            Taking::Share => {
                crate::basics::digest::group(&field.secret.expose_text().replace([' ', '-'], "").to_uppercase(), 4)
            }
            _ => SafeText::of(&field.value).to_string(),
        };
        let shown =
            if field.taking == Taking::Share { wrapped(&value, 25) } else { wrapped(&value, width.saturating_sub(4)) };
        let last = shown.len().saturating_sub(1);
        lines.extend(
            shown
                .into_iter()
                .enumerate()
                .map(|(n, line)| Line::from(format!("  {line}{}", if n == last { cursor } else { "" }))),
        );
    }
    if !form.note.is_empty() {
        lines.push(Line::from(format!("! {}", form.note)));
    }
    if !shown.next.is_empty() {
        lines.extend(wrapped(&format!("next: {}", shown.next), width).into_iter().map(Line::from));
    }
    lines
}

fn hints(frame: &mut Frame<'_>, view: &View<'_>, shown: &Shown, area: Rect) {
    let simulate = if view.plan.realm.is_rehearsal() { "F5 simulated answer  " } else { "" };
    let scroll = if shown.lines.len() > 8 { "PgDn more  " } else { "" };
    let text = format!(" {simulate}{scroll}F2 exception  F3 pause  F4 abort  ^C leave");
    let lines = vec![Line::from("─".repeat(area.width as usize)), Line::from(text)];
    frame.render_widget(Paragraph::new(lines), area);
}
