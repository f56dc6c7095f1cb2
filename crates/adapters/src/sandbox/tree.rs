//! What a tree of processes uses, read from `/proc`.

use std::fs;

/// The use of a tree at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Memory that is not a file: anonymous and shared.
    pub(crate) memory_bytes: u64,
    /// Processes and threads.
    pub(crate) processes: u32,
}

/// Adds up a process and all its descendants. Processes that end meanwhile count as nothing.
///
/// Inside a process namespace an orphan is adopted by the namespace's first process, so none leaves.
pub(crate) fn usage(root: u32) -> Usage {
    let mut total = Usage::default();
    let mut waiting = vec![root];
    while let Some(process) = waiting.pop() {
        if let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) {
            let used = read_status(&status);
            total.memory_bytes += used.memory_bytes;
            total.processes += used.processes;
        }
        waiting.extend(children(process));
    }
    total
}

fn read_status(status: &str) -> Usage {
    let field = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
    };
    Usage {
        memory_bytes: (field("RssAnon:") + field("RssShmem:")) * 1024,
        processes: u32::try_from(field("Threads:")).unwrap_or(u32::MAX),
    }
}

/// Each thread lists the children it made.
fn children(process: u32) -> Vec<u32> {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else { return Vec::new() };
    threads
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("children")).ok())
        .flat_map(|list| {
            list.split_whitespace().filter_map(|id| id.parse().ok()).collect::<Vec<_>>()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_file_is_read_and_a_missing_process_is_nothing() {
        let status =
            "Name:\tcat\nRssAnon:\t     100 kB\nRssFile:\t 900 kB\nRssShmem:\t 4 kB\nThreads:\t3\n";
        assert_eq!(read_status(status), Usage { memory_bytes: 104 * 1024, processes: 3 });
        assert_eq!(usage(u32::MAX), Usage::default());
        assert!(usage(std::process::id()).processes >= 1);
    }
}
