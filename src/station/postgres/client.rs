//! One connection: start-up, SCRAM, and the extended protocol with text values. Blocking, with a time limit on every read.

use crate::basics::{SafeText, Secret};
use crate::station::StationError;
use bytes::BytesMut;
use fallible_iterator::FallibleIterator;
use postgres_protocol::IsNull;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::{ErrorResponseBody, Message};
use postgres_protocol::message::frontend;
use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

/// Longest wait for the server; an import of a million rows is one statement a row.
const PATIENCE: Duration = Duration::from_secs(60);
/// Octets of one answer.
const ANSWER: usize = 64 * 1024 * 1024;
const PIECE: usize = 64 * 1024;
/// Octets of questions that wait to be sent with another.
const HELD_BACK: usize = 256 * 1024;

/// Rows as text; `None` is NULL.
pub type Rows = Vec<Vec<Option<String>>>;

enum Wire {
    Unix(UnixStream),
    Tcp(TcpStream),
}

pub struct Client {
    wire: Wire,
    incoming: BytesMut,
    outgoing: BytesMut,
    /// Statements that the server has prepared, by their text.
    prepared: HashMap<String, String>,
    /// How many names were given to statements.
    named: usize,
    /// How the server called the last statement that it completed.
    said: String,
    /// Questions whose answers were not read yet.
    asked: usize,
}

/// `postgres://USER@HOST:PORT/DATABASE`, or `postgres://USER@/DATABASE?host=/run/postgresql`.
struct Address {
    user: String,
    database: String,
    host: String,
    port: u16,
}

fn bad(problem: impl Into<String>) -> StationError {
    StationError::Server(problem.into())
}

fn absent(place: &str, error: &std::io::Error) -> StationError {
    bad(format!("expected a server at {}, found none: {error}", SafeText::cut(place, 200)))
}

fn io(error: std::io::Error) -> StationError {
    bad(format!("the connection: {error}"))
}

impl Address {
    fn parse(address: &str) -> Result<Self, StationError> {
        let shape = || {
            bad(
                "expected postgres://USER@127.0.0.1:5432/DATABASE or postgres://USER@/DATABASE?host=/run/postgresql, and a password in the \
                 station's folder only",
            )
        };
        let rest = address.strip_prefix("postgres://").ok_or_else(shape)?;
        let (user, rest) = rest.split_once('@').ok_or_else(shape)?;
        let (place, rest) = rest.split_once('/').ok_or_else(shape)?;
        let (database, socket) = rest.split_once("?host=").map_or((rest, None), |(name, socket)| (name, Some(socket)));
        if user.is_empty() || user.contains(':') || database.is_empty() {
            return Err(shape());
        }
        let (host, port) = place.rsplit_once(':').unwrap_or((place, "5432"));
        let host = socket.unwrap_or(host).to_owned();
        // Without TLS there is no other host: see the module comment.
        if !host.starts_with('/') && !["127.0.0.1", "localhost", "::1", "[::1]"].contains(&host.as_str()) {
            return Err(bad(
                "expected a Unix socket or this host, found another: reach it through a tunnel (ssh -L, WireGuard)",
            ));
        }
        let (user, database) = (user.to_owned(), database.to_owned());
        Ok(Self { user, database, host, port: port.parse().map_err(|_| shape())? })
    }
}

impl Client {
    pub fn connect(address: &str, password: Secret) -> Result<Self, StationError> {
        let address = Address::parse(address)?;
        let wire = if address.host.starts_with('/') {
            let path = Path::new(&address.host).join(format!(".s.PGSQL.{}", address.port));
            let stream = UnixStream::connect(&path).map_err(|e| absent(&path.display().to_string(), &e))?;
            stream.set_read_timeout(Some(PATIENCE)).map_err(io)?;
            Wire::Unix(stream)
        } else {
            let stream = TcpStream::connect((address.host.trim_matches(['[', ']']), address.port))
                .map_err(|e| absent(&format!("{}:{}", address.host, address.port), &e))?;
            stream.set_read_timeout(Some(PATIENCE)).map_err(io)?;
            stream.set_nodelay(true).map_err(io)?;
            Wire::Tcp(stream)
        };
        let mut client = Self {
            wire,
            incoming: BytesMut::new(),
            outgoing: BytesMut::new(),
            prepared: HashMap::new(),
            named: 0,
            said: String::new(),
            asked: 0,
        };
        let said = [
            ("user", address.user.as_str()),
            ("database", &address.database),
            ("application_name", "anchorite station"),
        ];
        frontend::startup_message(said, &mut client.outgoing).map_err(io)?;
        client.send()?;
        client.authenticate(&password)?;
        Ok(client)
    }

    fn authenticate(&mut self, password: &Secret) -> Result<(), StationError> {
        let mut scram: Option<ScramSha256> = None;
        loop {
            match self.message()? {
                Message::AuthenticationSasl(body) => {
                    let offered: Vec<String> = body.mechanisms().map(|m| Ok(m.to_owned())).collect().map_err(io)?;
                    if !offered.iter().any(|mechanism| mechanism == SCRAM_SHA_256) || password.is_empty() {
                        return Err(bad(
                            "the server asks for a password: expected SCRAM-SHA-256 and a file postgres.password",
                        ));
                    }
                    let text = password.expose().strip_suffix(b"\n").unwrap_or(password.expose());
                    let begun = ScramSha256::new(text, ChannelBinding::unsupported());
                    frontend::sasl_initial_response(SCRAM_SHA_256, begun.message(), &mut self.outgoing).map_err(io)?;
                    scram = Some(begun);
                    self.send()?;
                }
                Message::AuthenticationSaslContinue(body) => {
                    let begun = scram.as_mut().ok_or_else(|| bad("the server answered what nobody asked"))?;
                    begun.update(body.data()).map_err(io)?;
                    frontend::sasl_response(begun.message(), &mut self.outgoing).map_err(io)?;
                    self.send()?;
                }
                Message::AuthenticationSaslFinal(body) => {
                    let begun = scram.as_mut().ok_or_else(|| bad("the server answered what nobody asked"))?;
                    begun.finish(body.data()).map_err(io)?;
                }
                Message::AuthenticationOk
                | Message::ParameterStatus(_)
                | Message::BackendKeyData(_)
                | Message::NoticeResponse(_) => {}
                Message::ReadyForQuery(_) => return Ok(()),
                Message::ErrorResponse(body) => return Err(refused(&body)),
                _ => {
                    return Err(bad(
                        "the server asks for what this client does not do: expected peer, trust or SCRAM-SHA-256",
                    ));
                }
            }
        }
    }

    /// Several statements without values or results.
    pub fn batch(&mut self, sql: &str) -> Result<(), StationError> {
        self.ask_simply(sql)?;
        self.answers().map(|_| ())
    }

    /// The same, sent with whatever is asked next; where it fails, that says so.
    pub fn batch_later(&mut self, sql: &str) -> Result<(), StationError> {
        self.ask_simply(sql)
    }

    /// Commits what was begun.
    ///
    /// A server answers COMMIT with ROLLBACK, and with no error, where a statement of the transaction had failed: only its own word counts.
    pub fn commit(&mut self) -> Result<(), StationError> {
        self.ask_simply("COMMIT")?;
        self.answers()?;
        if self.said == "COMMIT" {
            return Ok(());
        }
        Err(bad(format!("expected COMMIT, found {}: nothing of it lasts", SafeText::cut(&self.said, 40))))
    }

    /// One statement, prepared once; values as text.
    pub fn rows(&mut self, sql: &str, values: &[&str]) -> Result<Rows, StationError> {
        self.ask(sql, values)?;
        self.answers()
    }

    /// One whose rows nobody needs: sent with whatever is asked next, so that the end of the ledger is held for fewer ways to the server and
    /// back. Where it fails, what is asked next says so; the commit at the latest.
    pub fn later(&mut self, sql: &str, values: &[&str]) -> Result<(), StationError> {
        self.ask(sql, values)?;
        if self.outgoing.len() > HELD_BACK { self.answers().map(|_| ()) } else { Ok(()) }
    }

    fn ask_simply(&mut self, sql: &str) -> Result<(), StationError> {
        frontend::query(sql, &mut self.outgoing).map_err(io)?;
        self.asked += 1;
        Ok(())
    }

    fn ask(&mut self, sql: &str, values: &[&str]) -> Result<(), StationError> {
        let known = self.prepared.get(sql).cloned();
        let name = known.clone().unwrap_or_else(|| format!("s{}", self.named));
        if known.is_none() {
            self.named += 1;
            frontend::parse(&name, sql, std::iter::empty(), &mut self.outgoing).map_err(io)?;
            self.prepared.insert(sql.to_owned(), name.clone());
        }
        let write = |value: &&str, buffer: &mut BytesMut| {
            buffer.extend_from_slice(value.as_bytes());
            Ok(IsNull::No)
        };
        frontend::bind("", &name, std::iter::empty(), values, write, std::iter::empty(), &mut self.outgoing)
            .map_err(|_| bad("a value cannot be sent"))?;
        frontend::execute("", 0, &mut self.outgoing).map_err(io)?;
        frontend::sync(&mut self.outgoing);
        self.asked += 1;
        Ok(())
    }

    /// Sends what was asked; gives the last one's rows, or the first failure.
    fn answers(&mut self) -> Result<Rows, StationError> {
        self.send()?;
        let mut result = Ok(Vec::new());
        for _ in 0..std::mem::take(&mut self.asked) {
            let answer = self.answer();
            if result.is_ok() {
                result = answer;
            }
        }
        if result.is_err() {
            // Whether the server knows a statement that failed is its secret: each is sent again.
            self.prepared.clear();
        }
        result
    }

    fn answer(&mut self) -> Result<Rows, StationError> {
        let (mut rows, mut failed): (Rows, Option<StationError>) = (Vec::new(), None);
        loop {
            match self.message()? {
                Message::DataRow(body) => {
                    let row = body.ranges().map(|range| {
                        Ok(range
                            .and_then(|range| body.buffer().get(range))
                            .map(|o| String::from_utf8_lossy(o).into_owned()))
                    });
                    rows.push(row.collect().map_err(io)?);
                }
                Message::ErrorResponse(body) => failed = Some(refused(&body)),
                Message::CommandComplete(body) => self.said = body.tag().map_err(io)?.to_owned(),
                Message::ReadyForQuery(_) => return failed.map_or(Ok(rows), Err),
                _ => {}
            }
        }
    }

    fn send(&mut self) -> Result<(), StationError> {
        let sent = match &mut self.wire {
            Wire::Unix(stream) => stream.write_all(&self.outgoing),
            Wire::Tcp(stream) => stream.write_all(&self.outgoing),
        };
        self.outgoing.clear();
        sent.map_err(io)
    }

    fn message(&mut self) -> Result<Message, StationError> {
        loop {
            if let Some(message) = Message::parse(&mut self.incoming).map_err(io)? {
                return Ok(message);
            }
            if self.incoming.len() > ANSWER {
                return Err(bad("the server's answer is too long"));
            }
            let mut piece = [0; PIECE];
            let read = match &mut self.wire {
                Wire::Unix(stream) => stream.read(&mut piece),
                Wire::Tcp(stream) => stream.read(&mut piece),
            };
            match read.map_err(io)? {
                0 => return Err(bad("the server closed the connection")),
                count => self.incoming.extend_from_slice(piece.get(..count).unwrap_or_default()),
            }
        }
    }
}

/// What people can do something about has words of its own (SQLSTATE, PostgreSQL appendix A); the server's come after.
fn refused(body: &ErrorResponseBody) -> StationError {
    let mut fields = body.fields();
    let (mut code, mut said) = (String::new(), String::new());
    while let Ok(Some(field)) = fields.next() {
        let text = String::from_utf8_lossy(field.value_bytes());
        match field.type_() {
            b'C' => code = text.into_owned(),
            b'M' => said = SafeText::cut(&text, 300).to_string(),
            _ => {}
        }
    }
    let ours = match code.as_str() {
        "28P01" => "expected the password of this user in postgres.password, found another",
        "28000" => "the server lets this user in no such way",
        "3D000" => "expected the database of this station, found none of its name",
        "53300" => "the server has no connection left",
        "57P01" | "57P02" | "57P03" => "the server is starting or stopping: ask again",
        "25006" => "the server only reads: it is a standby",
        "42501" => "the server does not allow this user what a station does",
        _ => "the server refused",
    };
    bad(format!("{ours}: {said}"))
}

pub fn cell(rows: &Rows, row: usize, column: usize) -> Result<&str, StationError> {
    let found = rows.get(row).and_then(|row| row.get(column)).and_then(Option::as_deref);
    found.ok_or(StationError::Damaged("the server left a value out"))
}

pub fn text(rows: &Rows, row: usize, column: usize) -> Result<String, StationError> {
    Ok(cell(rows, row, column)?.to_owned())
}

pub fn number(rows: &Rows, row: usize, column: usize) -> Result<u64, StationError> {
    cell(rows, row, column)?.parse().map_err(|_| StationError::Damaged("the server gave no number"))
}
