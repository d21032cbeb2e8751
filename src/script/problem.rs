//! A problem of a script: where it is, what was expected and found, what to do. Rendered with the line and a caret.

use crate::basics::{SafeText, limits};
use serde::Serialize;
use std::ops::Range;

/// One thing that is wrong, at octets `span` of `file`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    pub span: Range<usize>,
    pub message: String,
    pub hint: String,
}

/// Everything wrong with one file, with the file's text so that each can be shown in place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems {
    pub file: String,
    text: String,
    found: Vec<Problem>,
}

/// A problem as `--json` reports it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LocatedProblem {
    pub file: String,
    pub line: usize,
    pub column: usize,
    pub message: String,
    pub hint: String,
}

impl Problems {
    #[must_use]
    pub fn new(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), text: text.to_owned(), found: Vec::new() }
    }

    /// Notes a problem; beyond the limit further ones are left out.
    pub fn add(&mut self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        if self.found.len() < limits::PROBLEMS {
            self.found.push(Problem { span, message: message.into(), hint: hint.into() });
        }
    }

    /// Notes a problem, unless the same has been said of another place: one mistake in a declaration is one problem, however
    /// often the declared name is used.
    pub fn add_once(&mut self, span: Range<usize>, message: String, hint: impl Into<String>) {
        if !self.found.iter().any(|problem| problem.message == message) {
            self.add(span, message, hint);
        }
    }

    /// Whether something is wrong at exactly this place already: what stands in for a value that could not be read is then
    /// not judged, so that one mistake is one problem.
    #[must_use]
    pub fn at(&self, span: &Range<usize>) -> bool {
        self.found.iter().any(|problem| problem.span == *span)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Sorted by place, each said once.
    #[must_use]
    pub fn located(&self) -> Vec<LocatedProblem> {
        let mut sorted: Vec<&Problem> = self.found.iter().collect();
        sorted.sort_by_key(|problem| (problem.span.start, problem.message.clone()));
        sorted.dedup();
        sorted
            .into_iter()
            .map(|problem| {
                let (line, column, _) = self.place(problem.span.start);
                LocatedProblem {
                    file: self.file.clone(),
                    line,
                    column,
                    message: problem.message.clone(),
                    hint: problem.hint.clone(),
                }
            })
            .collect()
    }

    /// Line from 1, column in characters from 1, and the line's text.
    fn place(&self, at: usize) -> (usize, usize, &str) {
        let at = (0..=at.min(self.text.len())).rev().find(|i| self.text.is_char_boundary(*i)).unwrap_or(0);
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let start = before.rfind('\n').map_or(0, |position| position + 1);
        let column = self.text.get(start..at).unwrap_or_default().chars().count() + 1;
        let end = self.text.get(at..).and_then(|rest| rest.find('\n')).map_or(self.text.len(), |length| at + length);
        (line, column, self.text.get(start..end).unwrap_or_default())
    }

    /// The whole report as text, each problem with its line and a caret.
    #[must_use]
    pub fn render(&self) -> String {
        let mut report = String::new();
        let mut sorted: Vec<&Problem> = self.found.iter().collect();
        sorted.sort_by_key(|problem| (problem.span.start, problem.message.clone()));
        sorted.dedup();
        for problem in sorted {
            let (line, column, text) = self.place(problem.span.start);
            let width = problem.span.end.saturating_sub(problem.span.start).clamp(1, 60);
            let shown = SafeText::cut(text, 160);
            let room = shown.as_str().chars().count().saturating_sub(column - 1).max(1);
            report.push_str(&format!("{}:{line}:{column}: {}\n", self.file, problem.message));
            report.push_str(&format!("  {line:>4} | {shown}\n"));
            report.push_str(&format!("       | {}{}\n", " ".repeat(column.min(161) - 1), "^".repeat(width.min(room))));
            if !problem.hint.is_empty() {
                report.push_str(&format!("       = hint: {}\n", problem.hint));
            }
        }
        report.push_str(&format!(
            "{}: {} {}\n",
            self.file,
            self.len(),
            if self.len() == 1 { "problem" } else { "problems" }
        ));
        report
    }
}

/// The nearest of `known` to what was typed, where one is near enough to suggest.
#[must_use]
pub fn nearest<'k>(typed: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    known
        .into_iter()
        .map(|candidate| (distance(typed, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= 1 + candidate.len() / 4)
        .min()
        .map(|(_, candidate)| candidate)
}

/// Levenshtein distance over characters, bounded by the length of what is compared.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().take(64).collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().take(64).enumerate() {
        let mut diagonal = i;
        let mut left = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let above = row.get(j + 1).copied().unwrap_or(usize::MAX);
            let cost = (diagonal + usize::from(ca != *cb)).min(above + 1).min(left + 1);
            diagonal = above;
            if let Some(slot) = row.get_mut(j) {
                *slot = left;
            }
            left = cost;
        }
        if let Some(slot) = row.last_mut() {
            *slot = left;
        }
    }
    row.last().copied().unwrap_or(0)
}
