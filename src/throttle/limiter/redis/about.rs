use redis::{ErrorKind, RedisError};

/// What a server says of itself (`INFO`) that matters to whoever counts on it. One that does not
/// tell, as some that are rented do not, has nothing to be said against it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct About {
    is_cluster: bool,
    /// The settings by which it forgets counters that are live.
    forgets_by: Vec<String>,
}

impl About {
    pub(super) fn read(info: &str) -> Self {
        let mut forgets_by = Vec::new();
        if let Some(bytes) = value(info, "maxmemory")
            && let Some(policy) = value(info, "maxmemory_policy")
            && bytes != "0"
            && policy != "noeviction"
        {
            forgets_by.push(format!("maxmemory-policy {policy}"));
        }
        if value(info, "aof_enabled") == Some("0") {
            forgets_by.push(String::from("appendonly no"));
        }
        Self {
            is_cluster: value(info, "cluster_enabled") == Some("1"),
            forgets_by,
        }
    }

    /// Whether one may count on it.
    pub(super) fn check(&self) -> Result<(), RedisError> {
        if !self.is_cluster {
            return Ok(());
        }
        let said = "INFO says cluster_enabled:1";
        Err(RedisError::from((
            ErrorKind::ClusterConnectionNotFound,
            said,
        )))
    }

    /// `maxmemory-policy allkeys-lru, appendonly no`; `None` where it keeps what it is given.
    pub(super) fn forgets_by(&self) -> Option<String> {
        match self.forgets_by.as_slice() {
            [] => None,
            settings => Some(settings.join(", ")),
        }
    }
}

fn value<'i>(info: &'i str, name: &str) -> Option<&'i str> {
    let mut lines = info.lines().filter_map(|line| line.split_once(':'));
    let (_, value) = lines.find(|(found, _)| *found == name)?;
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_known_by_what_it_says_of_itself() {
        let about = |lines: &[&str]| About::read(&lines.join("\r\n"));
        let forgets = |lines: &[&str]| about(lines).forgets_by();
        let evicts = ["# Memory", "maxmemory:100", "maxmemory_policy:allkeys-lru"];
        assert_eq!(
            forgets(&evicts).as_deref(),
            Some("maxmemory-policy allkeys-lru")
        );
        // All that we write has an end, so those are forgotten too.
        let volatile = [
            "maxmemory:100",
            "maxmemory_policy:volatile-ttl",
            "aof_enabled:0",
        ];
        assert_eq!(
            forgets(&volatile).as_deref(),
            Some("maxmemory-policy volatile-ttl, appendonly no")
        );
        for keeps in [
            [
                "maxmemory:100",
                "maxmemory_policy:noeviction",
                "aof_enabled:1",
            ],
            [
                "maxmemory:0",
                "maxmemory_policy:allkeys-lru",
                "aof_enabled:1",
            ],
            ["", "", "nothing"],
        ] {
            assert_eq!(forgets(&keeps), None, "{keeps:?}");
        }
        assert!(about(&["cluster_enabled:1"]).check().is_err());
        assert!(about(&["cluster_enabled:0"]).check().is_ok() && about(&[]).check().is_ok());
    }
}
