use redis::{ErrorKind, RedisError, ServerErrorKind};
use std::fmt;

/// What makes a call succeed that has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cure {
    /// This one has ended, or leads to a server that others have replaced: a new one looks up the
    /// name again, and may be led elsewhere. The server has counted nothing, or it may have and the
    /// answer is lost: then asking again counts twice, which admits less, never more.
    AnotherConnection,
    /// The server is a node of a cluster, and keys may live on others.
    AnotherNode,
    /// The server cannot count for now, and says so or says nothing.
    Later,
    /// The server answers, and will give the same answer: what is wrong is this key, a right that
    /// is missing, or a script that it does not run.
    Never,
}

impl Cure {
    pub(super) fn of(error: &RedisError) -> Self {
        match error.kind() {
            ErrorKind::Io if error.is_connection_dropped() => Self::AnotherConnection,
            ErrorKind::Parse => Self::AnotherConnection,
            ErrorKind::Server(kind) => Self::of_kind(kind, error.detail()),
            ErrorKind::ClusterConnectionNotFound => Self::AnotherNode,
            ErrorKind::Extension => Self::of_code(error.code().unwrap_or_default()),
            ErrorKind::UnexpectedReturnType | ErrorKind::InvalidClientConfig => Self::Never,
            _ => Self::Later,
        }
    }

    fn of_kind(kind: ServerErrorKind, detail: Option<&str>) -> Self {
        match kind {
            ServerErrorKind::ReadOnly | ServerErrorKind::MasterDown => Self::AnotherConnection,
            ServerErrorKind::Moved | ServerErrorKind::Ask | ServerErrorKind::CrossSlot => {
                Self::AnotherNode
            }
            ServerErrorKind::BusyLoading
            | ServerErrorKind::TryAgain
            | ServerErrorKind::ClusterDown => Self::Later,
            _ => match detail.and_then(code_within) {
                Some("READONLY" | "MASTERDOWN") => Self::AnotherConnection,
                Some(code) => Self::of_code(code),
                None => Self::Never,
            },
        }
    }

    /// By the first word of an answer that the client does not know.
    fn of_code(code: &str) -> Self {
        match code {
            "OOM" | "BUSY" | "MISCONF" | "NOREPLICAS" | "LOADING" => Self::Later,
            _ => Self::Never,
        }
    }
}

/// What a command said that a script ran, in the words of Redis before 7 of a script that failed:
/// `Error running script (call to f_…): @user_script:1: -READONLY You can't write …`.
fn code_within(detail: &str) -> Option<&str> {
    let (_, answer) = detail.split_once(": -")?;
    answer.split_ascii_whitespace().next()
}

/// For whoever reads logs.
impl fmt::Display for Cure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AnotherConnection => "the connection leads to no server that counts",
            Self::AnotherNode => {
                "the server is a node of a Redis Cluster, on which a RedisLimiter does not count: \
                 give it one server, or one and its replicas"
            }
            Self::Later => "the server cannot count for now",
            Self::Never => "the server refuses to count, and goes on to until somebody mends it",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_known_by_what_cures_them() {
        use Cure::*;
        for (answer, cure) in [
            (
                "-READONLY You can't write against a read only replica.",
                AnotherConnection,
            ),
            ("-MASTERDOWN Link with MASTER is down", AnotherConnection),
            (
                "-ERR Error running script (call to f_ab): @user_script:9: @user_script: 9: -READONLY You can't write",
                AnotherConnection,
            ),
            ("-MOVED 866 127.0.0.1:7001", AnotherNode),
            ("-ASK 866 127.0.0.1:7001", AnotherNode),
            (
                "-CROSSSLOT Keys in request don't hash to the same slot",
                AnotherNode,
            ),
            ("-LOADING Redis is loading the dataset in memory", Later),
            ("-CLUSTERDOWN Hash slot not served", Later),
            (
                "-TRYAGAIN Multiple keys request during rehashing of slot",
                Later,
            ),
            (
                "-OOM command not allowed when used memory > 'maxmemory'.",
                Later,
            ),
            ("-BUSY Redis is busy running a script.", Later),
            ("-MISCONF Redis is configured to save RDB snapshots", Later),
            ("-NOREPLICAS Not enough good replicas to write.", Later),
            (
                "-ERR Error running script (call to f_ab): @user_script:9: @user_script: 9: -OOM command not allowed",
                Later,
            ),
            (
                "-WRONGTYPE Operation against a key holding the wrong kind of value",
                Never,
            ),
            (
                "-NOPERM this user has no permissions to run the 'evalsha' command",
                Never,
            ),
            ("-NOAUTH Authentication required.", Never),
            ("-ERR unknown command 'EVALSHA'", Never),
        ] {
            let answer = redis::parse_redis_value(format!("{answer}\r\n").as_bytes());
            let error = answer.and_then(redis::Value::extract_error).unwrap_err();
            assert_eq!(Cure::of(&error), cure, "{error}");
        }
        let io = |kind| Cure::of(&RedisError::from(std::io::Error::from(kind)));
        assert_eq!(io(std::io::ErrorKind::BrokenPipe), AnotherConnection);
        assert_eq!(io(std::io::ErrorKind::UnexpectedEof), AnotherConnection);
        assert_eq!(io(std::io::ErrorKind::TimedOut), Later);
    }
}
