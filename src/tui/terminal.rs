//! The terminal itself: entered once, and left as it was found whatever happens: normal end, error, panic, signal.
//!
//! What was drawn can be secret. So our writer is overwritten after every flush, [`Terminal::wipe`] overwrites both of
//! ratatui's buffers, the alternate screen is cleared before it is left, and keys typed ahead are thrown away rather
//! than handed to the shell.

use crate::basics::SafeText;
use crate::runner::front_end::Ending;
use crate::tui::input::Signal;
use ratatui::backend::{Backend, CrosstermBackend};
use ratatui::crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use ratatui::crossterm::style::{ResetColor, force_color_output};
use ratatui::crossterm::terminal::{
    Clear, ClearType, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode, size,
};
use ratatui::crossterm::{cursor, execute};
use signal_hook::SigId;
use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::os::fd::AsFd;
use std::panic::PanicHookInfo;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use zeroize::Zeroize;

/// A terminal in raw mode on its alternate screen. Dropping it restores the terminal.
pub struct Terminal {
    screen: ratatui::Terminal<CrosstermBackend<Wire>>,
    entered: Arc<AtomicBool>,
    /// The panic hook there was before ours.
    hook_before: PanicHook,
}

/// Set where the terminal was somebody else's for a while: whatever we think is on it, it is not.
static TAKEN_BACK: AtomicBool = AtomicBool::new(false);

type PanicHook = Arc<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

impl Terminal {
    /// Enters full screen; a panic from here on restores the terminal and says `after_panic`.
    ///
    /// # Errors
    /// Where there is no terminal, it is smaller than `least`, or it cannot be put into raw mode. Every message says
    /// what to do instead.
    pub fn enter(least: (u16, u16), after_panic: String) -> Result<Self, String> {
        const INSTEAD: &str = "`--plain` works on any terminal";
        if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
            return Err(format!(
                "the full screen expected a terminal on standard input and output, found something else; {INSTEAD}"
            ));
        }
        let failed = |error: io::Error| format!("the terminal could not be put into full screen: {error}; {INSTEAD}");
        let (width, height) = size().map_err(failed)?;
        if width < least.0 || height < least.1 {
            return Err(format!(
                "the full screen expected at least {}x{}, found {width}x{height}: \
                 enlarge the terminal; {INSTEAD}",
                least.0, least.1
            ));
        }
        // The theme alone decides about colour: see `theme`.
        force_color_output(true);
        let wire = Wire::to_standard_output().map_err(failed)?;
        let entered = Arc::new(AtomicBool::new(true));
        let hook_before = restore_on_panic(Arc::clone(&entered), after_panic);
        let begun = enable_raw_mode().and_then(|()| {
            execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Clear(ClearType::All), cursor::Hide)
        });
        match begun.and_then(|()| ratatui::Terminal::new(CrosstermBackend::new(wire))) {
            Ok(screen) => Ok(Self { screen, entered, hook_before }),
            Err(error) => {
                restore(&entered);
                std::panic::set_hook(Box::new(move |panic| hook_before(panic)));
                Err(failed(error))
            }
        }
    }

    /// Gives the terminal back and leaves the ending where people find it after the screen has gone. A closed
    /// terminal is not an error.
    pub fn leave_words(&mut self, ending: &Ending) {
        restore(&self.entered);
        for line in std::iter::once(&ending.title).chain(&ending.lines).flat_map(|text| text.lines()) {
            let _ = writeln!(io::stderr(), "{}", SafeText::of(line));
        }
    }

    /// The terminal to draw on.
    pub const fn screen(&mut self) -> &mut ratatui::Terminal<CrosstermBackend<Wire>> {
        &mut self.screen
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore(&self.entered);
        if !std::thread::panicking() {
            let before = Arc::clone(&self.hook_before);
            std::panic::set_hook(Box::new(move |panic| before(panic)));
        }
    }
}

/// Overwrites what was drawn, in both of ratatui's buffers and on the terminal; the next drawing draws everything.
///
/// A cell's reset may leave the old character's octets in place, so every cell is written, in both buffers. Nothing is asked of
/// the terminal: ratatui's own `clear` asks where the cursor is, and a terminal that does not answer must still lose the share.
///
/// # Errors
/// Where the terminal cannot be written.
pub fn wipe<B: Backend>(screen: &mut ratatui::Terminal<B>) -> Result<(), B::Error> {
    for _ in 0..2 {
        for cell in &mut screen.current_buffer_mut().content {
            cell.set_symbol(" ");
        }
        screen.swap_buffers();
    }
    let area = screen.current_buffer_mut().area;
    // Clears the screen and forgets what was on it.
    screen.resize(area)
}

/// Takes the terminal back after this process was stopped: the shell, which had it meanwhile, gives it back as a shell has it, and what is typed
/// would be seen. Gives its size.
///
/// # Errors
/// Where the terminal is gone.
pub fn take_back() -> io::Result<(u16, u16)> {
    TAKEN_BACK.store(true, Ordering::SeqCst);
    // Raw already, as far as crossterm knows.
    disable_raw_mode()?;
    enable_raw_mode()?;
    execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste, Clear(ClearType::All), cursor::Hide)?;
    size()
}

/// [`wipe`], where the terminal was taken back, or its size has changed: ratatui makes its buffers smaller or moves them, and would leave cells behind that
/// nobody can reach any more.
///
/// # Errors
/// Where the terminal cannot be asked for its size or written.
pub fn wipe_where_resized<B: Backend>(screen: &mut ratatui::Terminal<B>) -> Result<(), B::Error> {
    let size = screen.size()?;
    let taken_back = TAKEN_BACK.swap(false, Ordering::SeqCst);
    if taken_back || size != screen.current_buffer_mut().area.as_size() { wipe(screen) } else { Ok(()) }
}

fn restore_on_panic(entered: Arc<AtomicBool>, after_panic: String) -> PanicHook {
    let before: PanicHook = Arc::from(std::panic::take_hook());
    let hook_before = Arc::clone(&before);
    std::panic::set_hook(Box::new(move |panic| {
        let ours = entered.load(Ordering::SeqCst);
        restore(&entered);
        before(panic);
        if ours {
            let _ = writeln!(io::stderr(), "{after_panic}");
        }
    }));
    hook_before
}

/// Puts the terminal back, once. Errors have nobody to tell: the terminal may be gone.
fn restore(entered: &AtomicBool) {
    if !entered.swap(false, Ordering::SeqCst) {
        return;
    }
    let _ = execute!(
        io::stdout(),
        ResetColor,
        Clear(ClearType::All),
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show
    );
    // Keys typed ahead are for us and may be secret: the shell must not get them.
    let _ = rustix::termios::tcflush(io::stdin(), rustix::termios::QueueSelector::IFlush);
    let _ = disable_raw_mode();
}

/// SIGTERM, SIGHUP and SIGINT as flags, and SIGCONT. A second one of the first three ends the process at once, in case nobody looks at the flags any more.
pub struct Signals {
    terminate: Arc<AtomicBool>,
    hang_up: Arc<AtomicBool>,
    interrupt: Arc<AtomicBool>,
    went_on: Arc<AtomicBool>,
    registered: Vec<SigId>,
}

impl Signals {
    /// Takes the signals over until it is dropped.
    ///
    /// # Errors
    /// Where the system refuses.
    pub fn take_over() -> Result<Self, String> {
        let mut signals = Self {
            terminate: Arc::default(),
            hang_up: Arc::default(),
            interrupt: Arc::default(),
            went_on: Arc::default(),
            registered: Vec::with_capacity(7),
        };
        for (number, flag) in [(SIGTERM, &signals.terminate), (SIGHUP, &signals.hang_up), (SIGINT, &signals.interrupt)]
        {
            let second = signal_hook::flag::register_conditional_shutdown(number, 1, Arc::clone(flag));
            let first = signal_hook::flag::register(number, Arc::clone(flag));
            for registered in [second, first] {
                signals.registered.push(registered.map_err(|error| format!("signals cannot be taken over: {error}"))?);
            }
        }
        let went_on = signal_hook::flag::register(SIGCONT, Arc::clone(&signals.went_on));
        signals.registered.push(went_on.map_err(|error| format!("signals cannot be taken over: {error}"))?);
        Ok(signals)
    }

    /// Whether this process was stopped and goes on; said once.
    #[must_use]
    pub fn went_on(&self) -> bool {
        self.went_on.swap(false, Ordering::SeqCst)
    }

    /// The signal that came, if one did. It stays: whoever asks next must leave too.
    #[must_use]
    pub fn received(&self) -> Option<Signal> {
        if self.terminate.load(Ordering::SeqCst) {
            Some(Signal::Terminate)
        } else if self.hang_up.load(Ordering::SeqCst) {
            Some(Signal::HangUp)
        } else if self.interrupt.load(Ordering::SeqCst) {
            Some(Signal::Interrupt)
        } else {
            None
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}

/// Standard output without the buffer of the standard library, which nobody overwrites.
///
/// What lies between two flushes is one picture, and is said to be one (synchronized output, private mode 2026): a camera
/// never sees half of a code. Terminals that do not know the mode ignore it.
pub struct Wire {
    out: File,
    pending: Vec<u8>,
    /// Whether the terminal waits for the rest of a picture.
    begun: bool,
}

const BEGIN_PICTURE: &[u8] = b"\x1b[?2026h";
const END_PICTURE: &[u8] = b"\x1b[?2026l";

const WIRE_OCTETS: usize = 64 * 1024;

impl Wire {
    fn to_standard_output() -> io::Result<Self> {
        let out = File::from(io::stdout().as_fd().try_clone_to_owned()?);
        Ok(Self { out, pending: Vec::with_capacity(WIRE_OCTETS), begun: false })
    }

    /// Hands on what is pending, in the middle of a picture or at its end.
    fn hand_on(&mut self, end: &[u8]) -> io::Result<()> {
        let begin: &[u8] = if self.begun || self.pending.is_empty() { &[] } else { BEGIN_PICTURE };
        self.begun |= !self.pending.is_empty();
        let end = if self.begun { end } else { &[] };
        let written = [begin, &self.pending, end].iter().try_for_each(|part| self.out.write_all(part));
        self.begun &= end.is_empty();
        self.pending.zeroize();
        written
    }
}

impl Write for Wire {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        // Never grows, so no copy is left behind.
        let room = WIRE_OCTETS.saturating_sub(self.pending.len());
        if room == 0 {
            self.hand_on(&[])?;
        }
        let taken = octets.get(..octets.len().min(WIRE_OCTETS - self.pending.len())).unwrap_or_default();
        self.pending.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_on(END_PICTURE)
    }
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.pending.zeroize();
    }
}
