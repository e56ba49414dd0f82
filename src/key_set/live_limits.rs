use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

/// How often the keys of an issuer are loaded, and how long they are held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LiveLimits {
    /// The least time between two loads for tokens that name unknown keys, and the first wait after
    /// a load that failed.
    pub(crate) cooldown: Duration,
    /// How long keys serve after the last load that succeeded.
    pub(crate) max_age: Duration,
    /// How long they are fresh where their source does not say.
    pub(crate) fresh_for: Duration,
}

impl Default for LiveLimits {
    fn default() -> Self {
        Self {
            cooldown: Duration::from_secs(10),
            max_age: 24 * 60 * MINUTE,
            fresh_for: 15 * MINUTE,
        }
    }
}

impl LiveLimits {
    /// What a source says, within bounds: no issuer makes every request load its keys, and none
    /// keeps a key that it took back for longer than a day.
    pub(super) fn fresh_for(&self, said: Option<Duration>) -> Duration {
        match said {
            Some(said) => said.clamp(MINUTE, 24 * 60 * MINUTE),
            None => self.fresh_for,
        }
    }

    /// The wait after a load that failed, the `failures`th in a row: doubled each time, up to 5
    /// minutes.
    pub(super) fn back_off(&self, failures: u32) -> Duration {
        // After 32 failures the shift would overflow. By then the wait has long been the longest.
        let doubled = 1_u32.checked_shl(failures.saturating_sub(1));
        let wait = self.cooldown.saturating_mul(doubled.unwrap_or(u32::MAX));
        wait.min(5 * MINUTE)
    }
}
