use crate::config::ConfigProblem;
use crate::rate::{Rate, RateError};

/// How often credentials may be wrong, of whatever scheme. An address is counted before a store or
/// a network is asked, an account before a password is hashed. Beyond that the answer is 429.
///
/// | counted | by default | stops |
/// |---|---|---|
/// | an account from one address | 10 in 15 minutes | guessing a password |
/// | an account from everywhere | 100 in 15 minutes | the same from many addresses |
/// | an address, whatever it presents | 200 in 15 minutes | trying many accounts, floods |
///
/// - What turns out right is not counted, nor is what failed for a reason of the service's own.
///   Until that is known it is, and so is whoever goes away before.
/// - From where an owner has signed in within 30 days, what others do to the account does not
///   matter: nobody is locked out by somebody else's guesses, nor by anything for longer than the
///   period.
/// - An account is known by its id, so that a second name gives no second budget, and nothing that
///   is done under another name is forgiven. Names that nobody has are counted alike, without
///   regard to case and spaces.
/// - Where the server does not tell the peer's address, the account from everywhere is all that is
///   counted. Behind a proxy, all callers seem to come from it until
///   [`Addresses`](crate::throttle::Addresses) says whom to trust.
/// - Counts are of this process.
///
/// ```
/// use tower_auth::throttle::AttemptLimits;
///
/// let stricter = AttemptLimits::new().per_account_and_address("5/15min").per_account("50/hour");
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct AttemptLimits {
    pair: Result<Rate, RateError>,
    account: Result<Rate, RateError>,
    address: Result<Rate, RateError>,
}

impl AttemptLimits {
    /// The limits that the table above names as defaults: 10, 100 and 200 in 15 minutes.
    pub fn new() -> Self {
        Self {
            pair: "10/15min".parse(),
            account: "100/15min".parse(),
            address: "200/15min".parse(),
        }
    }

    /// How often one account may be tried wrongly from one address; `10/15min` by default.
    pub fn per_account_and_address(
        mut self,
        rate: impl TryInto<Rate, Error: Into<RateError>>,
    ) -> Self {
        self.pair = rate.try_into().map_err(Into::into);
        self
    }

    /// How often one account may be tried wrongly from all addresses together that its owner has not
    /// signed in from; `100/15min` by default.
    pub fn per_account(mut self, rate: impl TryInto<Rate, Error: Into<RateError>>) -> Self {
        self.account = rate.try_into().map_err(Into::into);
        self
    }

    /// How often one address may be wrong, whatever it presents; `200/15min` by default.
    pub fn per_address(mut self, rate: impl TryInto<Rate, Error: Into<RateError>>) -> Self {
        self.address = rate.try_into().map_err(Into::into);
        self
    }
}

impl AttemptLimits {
    /// One account from one address, one account, one address. A text that is no rate is reported,
    /// and stands for one that lets next to nothing pass.
    pub(super) fn rates(self, problems: &mut Vec<ConfigProblem>) -> [Rate; 3] {
        [self.pair, self.account, self.address].map(|rate| match rate {
            Ok(rate) => rate,
            Err(error) => {
                problems.push(ConfigProblem::Rate(error));
                Rate::LEAST
            }
        })
    }
}

impl Default for AttemptLimits {
    fn default() -> Self {
        Self::new()
    }
}
