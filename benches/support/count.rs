//! Counts the instructions of a section by single-stepping a child that is this program.
//!
//! callgrind counts too, but valgrind hides the CPU's SHA and AVX-512 instructions, so that what
//! runs under it takes slower paths. Here the count is of the code that really runs. A step takes
//! some ten microseconds: name the rows.

use super::harness::Bench;

#[cfg(not(all(target_os = "linux", target_arch = "x86_64")))]
mod machine {
    use super::Bench;

    pub(crate) fn child(_: &mut dyn Bench, _: usize) {}

    pub(crate) fn instructions(_: &str, _: usize) -> f64 {
        eprintln!("instructions are counted on Linux and x86-64 only");
        std::process::exit(2);
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
#[expect(unsafe_code, reason = "ptrace has no safe interface")]
mod machine {
    use super::Bench;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    /// The difference between two sections leaves out what entering one costs.
    const SHORT: usize = 1;
    /// After so many times, the lists of free memory are what both sections leave behind, whatever
    /// was allocated and freed before them: what an allocation costs depends on those lists.
    const WARM_UPS: usize = 8;

    /// In the child: warms up by sections of the same length, then marks two by a signal that the
    /// parent waits for.
    pub(crate) fn child(bench: &mut dyn Bench, long: usize) {
        // SAFETY: the signal is ignored before it is raised.
        let mark = || unsafe { libc::raise(libc::SIGUSR1) };
        unsafe { libc::signal(libc::SIGUSR1, libc::SIG_IGN) };
        for _ in 0..WARM_UPS {
            for requests in [SHORT, long] {
                bench.prepare(requests);
                bench.go();
            }
        }
        for requests in [SHORT, long] {
            bench.prepare(requests);
            mark();
            bench.go();
            mark();
        }
    }

    /// The instructions of one request of the row of that name; the second section has so many
    /// requests.
    pub(crate) fn instructions(row: &str, requests: usize) -> f64 {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["step", row, &requests.to_string()]);
        // SAFETY: ptrace is async-signal-safe and touches nothing of the parent's.
        unsafe {
            command.pre_exec(|| {
                libc::ptrace(libc::PTRACE_TRACEME, 0, 0, 0);
                Ok(())
            });
        }
        let traced = Traced(command.spawn().unwrap().id().cast_signed());
        traced.stopped_by(); // by its exec
        let (short, long) = (traced.section(), traced.section());
        traced.finish();
        (long - short) as f64 / (requests - SHORT) as f64
    }

    struct Traced(libc::pid_t);

    impl Traced {
        /// The signal that stopped it, or `None` once it has ended.
        fn stopped_by(&self) -> Option<i32> {
            let mut status = 0;
            // SAFETY: `status` outlives the call.
            unsafe { libc::waitpid(self.0, &mut status, libc::__WALL) };
            libc::WIFSTOPPED(status).then(|| libc::WSTOPSIG(status))
        }

        fn resume(&self, how: libc::c_uint, signal: i32) {
            // SAFETY: the process is a stopped child of ours.
            unsafe { libc::ptrace(how, self.0, 0, signal as usize) };
        }

        /// Runs to the next mark, then steps to the one after it.
        fn section(&self) -> u64 {
            self.resume(libc::PTRACE_CONT, 0);
            while self.stopped_by().expect("the child ended early") != libc::SIGUSR1 {
                self.resume(libc::PTRACE_CONT, 0);
            }
            let mut steps = 0;
            loop {
                self.resume(libc::PTRACE_SINGLESTEP, 0);
                if self.stopped_by().expect("the child ended early") == libc::SIGUSR1 {
                    return steps;
                }
                steps += 1;
            }
        }

        fn finish(&self) {
            loop {
                self.resume(libc::PTRACE_CONT, 0);
                if self.stopped_by().is_none() {
                    return;
                }
            }
        }
    }
}

pub(crate) use machine::{child, instructions};
