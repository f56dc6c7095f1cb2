//! The log of a cell: copied line by line while it runs, and never longer than the disk can bear.

use std::fs::File;
use std::io::{self, PipeReader, Read, Seek, SeekFrom, Write};
use std::path::Path;
use std::sync::mpsc::Sender;

use crate::sandbox::run::Event;

/// A log that grows beyond this ends its cell.
const LONGEST_LOG: u64 = 64 << 20;
/// A line that is longer is written in pieces.
const LONGEST_LINE: usize = 64 << 10;

/// Copies until every writer is gone. Readers of the file never see half a line of usual length.
pub(crate) fn copy(mut pipe: PipeReader, mut file: File, events: &Sender<Event>) {
    if let Err(event) = copy_lines(&mut pipe, &mut file) {
        let _ = events.send(event);
        // The pipe must be emptied: a process that waits to write would not notice anything else.
        let _ = io::copy(&mut pipe, &mut io::sink());
    }
    let _ = events.send(Event::Gone);
}

fn copy_lines(pipe: &mut PipeReader, file: &mut File) -> Result<(), Event> {
    let mut chunk = vec![0; LONGEST_LINE];
    let mut waiting = Vec::new();
    let mut written = 0;
    loop {
        let read = pipe.read(&mut chunk).map_err(Event::LogBroken)?;
        waiting.extend_from_slice(&chunk[..read]);
        let whole = waiting.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let ready = if read == 0 || waiting.len() > LONGEST_LINE { waiting.len() } else { whole };
        written += ready as u64;
        if written > LONGEST_LOG {
            return Err(Event::LogTooLong);
        }
        file.write_all(&waiting[..ready]).map_err(Event::LogBroken)?;
        waiting.drain(..ready);
        if read == 0 {
            return Ok(());
        }
    }
}

/// The last part of a log, where the reason of a failure usually stands; empty if it cannot be read.
pub(crate) fn tail(path: &Path, bytes: u64) -> String {
    let read = || -> io::Result<Vec<u8>> {
        let mut file = File::open(path)?;
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(bytes)))?;
        let mut end = Vec::new();
        file.read_to_end(&mut end)?;
        Ok(end)
    };
    String::from_utf8_lossy(&read().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::mpsc;

    use super::*;

    /// Copies what `write` writes, and returns what arrived and whether it was too long.
    fn check(write: impl FnOnce(io::PipeWriter) + Send + 'static) -> (String, bool) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let (reader, writer) = io::pipe().unwrap();
        let writing = std::thread::spawn(move || write(writer));
        let (sender, events) = mpsc::channel();
        copy(reader, File::create(&path).unwrap(), &sender);
        writing.join().unwrap();
        let too_long = matches!(events.recv().unwrap(), Event::LogTooLong);
        (fs::read_to_string(path).unwrap(), too_long)
    }

    #[test]
    fn a_log_arrives_whole_and_an_endless_one_is_cut() {
        let (log, _) = check(|mut pipe| pipe.write_all(b"one\ntwo\nhalf").unwrap());
        assert_eq!(log, "one\ntwo\nhalf");
        let long = "x".repeat(LONGEST_LINE * 2);
        let (log, _) = check({
            let long = long.clone();
            move |mut pipe| pipe.write_all(long.as_bytes()).unwrap()
        });
        assert_eq!(log, long);
        let (log, too_long) = check(|mut pipe| {
            let line = [b"y".repeat(1023), b"\n".to_vec()].concat();
            for _ in 0..=LONGEST_LOG / 1024 {
                pipe.write_all(&line).unwrap();
            }
        });
        assert!(too_long);
        assert!(log.len() as u64 <= LONGEST_LOG);
    }
}
