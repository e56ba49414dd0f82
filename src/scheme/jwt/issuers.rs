use super::cache::{Sought, Trace};
use super::claims;
use super::jwt::Jwt;
use super::ours::{Ours, ReadToken};
use super::policy::{Policy, Presented, Verified};
use super::sender::Presentation;
use super::verified_token::VerifiedToken;
use crate::attempt::Attempt;
use crate::clock::Clock;
use crate::config::ConfigProblem;
use crate::credential::{Credential, Source, TokenCredential};
use crate::key_set::{LiveKeys, Parts, decoded, refused};
use crate::metrics::{self, Meter};
use crate::principal::{Principal, TokenUse};
use crate::reject::Rejection;
use crate::scheme::{Answer, Readiness, Scheme, all_ready};
#[cfg(feature = "endpoints")]
use serde_json::{Map, Value};
use std::sync::Arc;
use std::time::SystemTime;

/// All [`Jwt`]s of a layer, and the tokens that it issues: one policy for each issuer.
#[derive(Debug)]
pub(crate) struct Jwts {
    policies: Vec<Arc<Policy>>,
    clock: Arc<dyn Clock>,
    meter: Meter,
}

impl Jwts {
    pub(crate) fn build(
        jwts: Vec<Jwt>,
        ours: Vec<Arc<Policy>>,
        clock: Arc<dyn Clock>,
        meter: Meter,
    ) -> Result<Self, Vec<ConfigProblem>> {
        let mut problems = Vec::new();
        let mut policies: Vec<Arc<Policy>> = Vec::new();
        for policy in ours {
            problems.extend(duplicate(&policies, &policy));
            policies.push(policy);
        }
        for jwt in jwts {
            match jwt.build(None) {
                Err(found) => problems.extend(found),
                Ok(policy) => {
                    problems.extend(duplicate(&policies, &policy));
                    policies.push(Arc::new(policy));
                }
            }
        }
        if problems.is_empty() {
            for policy in &policies {
                policy.measure_by(&meter);
            }
            Ok(Self {
                policies,
                clock,
                meter,
            })
        } else {
            Err(problems)
        }
    }

    /// Where they are read.
    pub(crate) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.policies.iter().flat_map(|policy| policy.read_at())
    }

    /// The algorithms of the proofs of all issuers, spaces between them.
    pub(crate) fn proof_algorithms(&self) -> String {
        let mut names: Vec<&str> = Vec::new();
        let proofs = self
            .policies
            .iter()
            .filter_map(|policy| policy.senders.proofs.as_ref());
        for algorithm in proofs.flat_map(|proofs| proofs.algorithms().iter()) {
            if !names.contains(&algorithm.name()) {
                names.push(algorithm.name());
            }
        }
        names.join(" ")
    }

    /// Whether the tokens of any issuer may be bound to a certificate.
    pub(crate) fn reads_certificates(&self) -> bool {
        self.policies
            .iter()
            .any(|policy| policy.senders.certificates)
    }

    fn verify(
        &self,
        token: &TokenCredential<'_>,
        attempt: &Attempt<'_>,
    ) -> Result<Answer, Rejection> {
        let now = attempt.now();
        let sought = Sought::new(Parts::split(token.as_bytes())?);
        // Looked for among all issuers, before `iss` is read: whoever was remembered was verified
        // by this very policy.
        let remembered = self.remembered(&sought, now);
        self.meter
            .looked_up(metrics::Cache::Tokens, remembered.is_some());
        let policy = match &remembered {
            Some((policy, _)) => policy,
            None => self.policy(*sought.parts())?,
        };
        if !policy.reads(token.source()) {
            return Err(refused("source"));
        }
        let verified = match &remembered {
            Some((_, remembered)) => {
                let verified = policy.verify_again(remembered, now);
                // It will never be good again, so it makes room at once.
                verified.inspect_err(|refusal| policy.forget_if_over(Trace::of(&sought), refusal))
            }
            None => policy.verify(&sought, now),
        };
        Ok(match verified? {
            Verified::Live(identity) => {
                let presented = Presentation {
                    token: token.as_bytes(),
                    source: token.source(),
                    sender: attempt.sender(),
                };
                policy.senders.check(&identity, &presented, now)?;
                Answer::Verified(Principal::from_token(identity))
            }
            Verified::Ask(token, ids) => {
                let policy = Arc::clone(policy);
                let trace = Trace::of(&sought);
                Answer::Pending(Box::pin(async move {
                    let asked = policy.ask(token, &ids, now).await;
                    let token =
                        asked.inspect_err(|refusal| policy.forget_if_over(trace, refusal))?;
                    Ok(Principal::from_token(token))
                }))
            }
            Verified::Load => {
                let policy = Arc::clone(policy);
                let source = token.source().clone();
                let sender = attempt.sender().cloned();
                let token = Presented {
                    bytes: token.as_bytes().to_vec(),
                    origin: Some(attempt.origin()),
                };
                Answer::Pending(Box::pin(async move {
                    let identity = policy.verify_loading(&token, now).await?;
                    let presented = Presentation {
                        token: &token.bytes,
                        source: &source,
                        sender: sender.as_ref(),
                    };
                    policy.senders.check(&identity, &presented, now)?;
                    Ok(Principal::from_token(identity))
                }))
            }
        })
    }

    /// With whom a token was verified before: not even its issuer has to be read then.
    #[inline]
    fn remembered(
        &self,
        token: &Sought<'_>,
        now: SystemTime,
    ) -> Option<(&Arc<Policy>, Arc<VerifiedToken>)> {
        let mut policies = self.policies.iter();
        policies.find_map(|policy| Some((policy, policy.remembered(token, now)?)))
    }

    /// With several issuers the token says which one to hold it against. What it says is not
    /// believed yet.
    fn policy(&self, parts: Parts<'_>) -> Result<&Arc<Policy>, Rejection> {
        match self.policies.as_slice() {
            [only] => Ok(only),
            several => {
                // Read before the signature is verified, which takes the keys of an issuer: the
                // name chooses among those that are configured, and does nothing else.
                let payload = decoded(parts.payload()?)?;
                let issuer = claims::claimed_issuer(&payload)?;
                several
                    .iter()
                    .find(|policy| policy.may_be_of(issuer.as_deref()))
                    .ok_or_else(|| refused("iss"))
            }
        }
    }
}

/// One issuer has one policy: no token could say which of two is meant.
fn duplicate(policies: &[Arc<Policy>], policy: &Policy) -> Option<ConfigProblem> {
    let mut others = policies.iter();
    let shared = others.find_map(|other| policy.shared_issuer(other))?;
    Some(ConfigProblem::DuplicateIssuer(shared.to_owned()))
}

/// Verifies the tokens that we issue, for those who issue them.
#[derive(Clone, Debug)]
pub(crate) struct OurPolicy(Arc<Policy>);

impl OurPolicy {
    pub(crate) fn build(jwt: Jwt, ours: Ours) -> Result<Self, Vec<ConfigProblem>> {
        jwt.build(Some(ours)).map(|policy| Self(Arc::new(policy)))
    }

    /// Of an issuer whose keys are loaded.
    pub(crate) fn build_live(
        jwt: Jwt,
        keys: Arc<LiveKeys>,
        ours: Ours,
    ) -> Result<Self, Vec<ConfigProblem>> {
        let policy = jwt.build_live(keys, Some(ours));
        policy.map(|policy| Self(Arc::new(policy)))
    }

    pub(crate) fn shared(&self) -> Arc<Policy> {
        Arc::clone(&self.0)
    }

    #[cfg(feature = "endpoints")]
    pub(crate) fn reads(&self, source: &Source) -> bool {
        self.0.reads(source)
    }

    /// What a token says that was read before.
    #[cfg(feature = "endpoints")]
    pub(crate) fn claims(&self, token: &str) -> Result<Map<String, Value>, Rejection> {
        let payload = decoded(Parts::split(token.as_bytes())?.payload()?)?;
        serde_json::from_str(&payload).map_err(|_| refused("claims"))
    }

    /// Whether a token names the issuer of these, or none where these name none. What it says is
    /// not believed yet.
    pub(crate) fn may_have_issued(&self, token: &str) -> bool {
        let payload = Parts::split(token.as_bytes()).and_then(|parts| decoded(parts.payload()?));
        let Ok(payload) = payload else {
            return false;
        };
        let issuer = claims::claimed_issuer(&payload);
        issuer.is_ok_and(|issuer| self.0.may_be_of(issuer.as_deref()))
    }

    /// What a token of these uses says. Whether it was revoked is not asked.
    pub(crate) async fn read(
        &self,
        token: &str,
        uses: &[TokenUse],
        now: SystemTime,
    ) -> Result<ReadToken, Rejection> {
        let read = self.issued(token, uses, now).await?;
        self.0.unexpired(read, now)
    }

    /// What a token says that is to be revoked. A refresh token is read after its expiry as well:
    /// its family may live on through a successor.
    pub(crate) async fn read_to_revoke(
        &self,
        token: &str,
        now: SystemTime,
    ) -> Result<ReadToken, Rejection> {
        let uses = [TokenUse::Access, TokenUse::Private, TokenUse::Refresh];
        let read = self.issued(token, &uses, now).await?;
        match read.ids.is {
            TokenUse::Refresh => Ok(read),
            TokenUse::Access | TokenUse::Private => self.0.unexpired(read, now),
        }
    }

    async fn issued(
        &self,
        token: &str,
        uses: &[TokenUse],
        now: SystemTime,
    ) -> Result<ReadToken, Rejection> {
        let token = Presented {
            bytes: token.as_bytes().to_vec(),
            origin: None,
        };
        self.0.issued(&token, uses, now).await
    }
}

/// Whether a claim's name is taken, so that an application cannot set it.
pub(crate) fn is_reserved(name: &str) -> bool {
    claims::registered(name).is_some() || name == "sid"
}

impl Scheme for Jwts {
    fn name(&self) -> &'static str {
        "Bearer"
    }

    fn authenticate(&self, attempt: &Attempt<'_>) -> Answer {
        match attempt.credential() {
            Credential::Token(token) if !token.is_own() => {
                self.verify(token, attempt).unwrap_or_else(Answer::Refused)
            }
            _ => Answer::NotPresented,
        }
    }

    fn ready(&self) -> Option<Readiness> {
        let now = self.clock.now();
        let live = self.policies.iter().filter_map(|policy| policy.live_keys());
        let loading: Vec<Readiness> = live
            .map(|keys| -> Readiness { Box::pin(async move { keys.ready(now).await }) })
            .collect();
        if loading.is_empty() {
            return None;
        }
        Some(Box::pin(all_ready(loading)))
    }
}
