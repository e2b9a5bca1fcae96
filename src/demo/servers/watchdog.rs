//! A server that ends when we do. It is the child of a shell that holds the other end of a pipe of
//! ours: when we die, even by SIGKILL, the pipe closes and the shell ends the server and removes its
//! room. When the server ends first, so does the shell.

use std::fs;
use std::io::{self, BufRead, BufReader};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use super::GLANCE;

/// `$1`: the signal that ends the server quickly, `$2`: the room; the rest is the server.
///
/// The guard reads a pipe on which nothing is ever written. When that closes, nobody can end the guard
/// any more; it ends the server, then what else is in our process group (a setup's own children), and
/// keeps the log (and so the lock) open until the room is gone.
const SCRIPT: &str = r#"
quick=$1 room=$2
shift 2
exec 3<&0 </dev/null
"$@" 3<&- >&2 &
server=$!
(
    exec 4>&2 >/dev/null 2>&1
    read -r _ <&3
    trap '' HUP INT TERM
    kill -"$quick" "$server"
    tries=100
    while kill -0 "$server" && [ "$tries" -gt 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
    done
    kill -KILL "$server"
    kill -TERM 0
    tries=100
    until rm -rf "$room" || [ "$tries" -eq 0 ]; do
        sleep 0.1
        tries=$((tries - 1))
    done
) &
guard=$!
exec 3<&-
trap 'kill -"$quick" "$server"' HUP INT TERM
echo "$server"
exec >&2
while wait "$server"; code=$?; [ "$code" -gt 128 ] && kill -0 "$server" 2>/dev/null; do :; done
kill "$guard" 2>/dev/null
exit "$code"
"#;

/// Makes `sh` the watchdog of `server`, whose arguments are to be added.
pub(super) fn script(sh: &mut Command, quick: &str, room: &Path, server: &Path) {
    sh.args(["-c", SCRIPT, "sh", quick]).arg(room).arg(server);
}

/// A server under its watchdog.
#[derive(Debug)]
pub(super) struct Watched {
    shell: Child,
    server: Pid,
    _pipe: Option<ChildStdin>,
}

impl Watched {
    /// Starts the watchdog, out of reach of the Ctrl-C that we get.
    pub(super) fn spawn(mut sh: Command) -> io::Result<Watched> {
        sh.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut shell = sh.process_group(0).spawn()?;
        let pipe = shell.stdin.take();
        let mut line = String::new();
        if let Some(stdout) = shell.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let server = line.trim().parse().ok().and_then(Pid::from_raw);
        let server = server.ok_or_else(|| io::Error::other("the watchdog did not start"))?;
        Ok(Watched {
            shell,
            server,
            _pipe: pipe,
        })
    }

    pub(super) fn pid(&self) -> Pid {
        self.server
    }

    pub(super) fn ended(&mut self) -> bool {
        !matches!(self.shell.try_wait(), Ok(None))
    }

    pub(super) fn ends_within(&mut self, patience: Duration) -> bool {
        let begun = Instant::now();
        while !self.ended() {
            if begun.elapsed() > patience {
                return false;
            }
            sleep(GLANCE / 4);
        }
        true
    }

    pub(super) fn succeeds_within(&mut self, patience: Duration) -> bool {
        self.ends_within(patience) && self.shell.wait().is_ok_and(|status| status.success())
    }

    pub(super) fn signal(&mut self, signal: Signal) {
        if !self.ended() {
            let _ = kill_process(self.server, signal);
        }
    }

    /// Kills the server and all that it has started, as one: held still, it can start no more.
    pub(super) fn kill(&mut self) {
        self.signal(Signal::STOP);
        for _ in 0..200 {
            let children = children(self.server);
            if self.ended() || children.is_empty() {
                break;
            }
            for child in children {
                let _ = kill_process(child, Signal::KILL);
            }
            sleep(GLANCE / 4);
        }
        self.signal(Signal::KILL);
        if !self.ends_within(Duration::from_secs(10)) {
            let _ = self.shell.kill();
            let _ = self.shell.wait();
        }
    }
}

/// The live children of a process where there is `/proc`. Elsewhere none are seen; PostgreSQL's end
/// by themselves when they miss their parent.
fn children(parent: Pid) -> Vec<Pid> {
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let child = |stat: String| {
        let (own, rest) = stat.split_once(' ')?;
        let mut fields = rest.rsplit_once(") ")?.1.split(' ');
        let alive = !matches!(fields.next()?, "Z" | "X");
        let above = Pid::from_raw(fields.next()?.parse().ok()?)?;
        (alive && above == parent).then(|| Pid::from_raw(own.parse().ok()?))?
    };
    let stats = processes.filter_map(|entry| fs::read_to_string(entry.path().join("stat")).ok());
    stats.filter_map(child).collect()
}
