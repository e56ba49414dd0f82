use crate::intern;
use std::fmt;
use std::sync::Arc;

/// What stands in an issuer for the tenant.
const TENANT: &str = "{tenantid}";

/// Whether a tenant's tokens are accepted.
#[derive(Clone)]
pub(super) enum Tenants {
    Listed(Vec<String>),
    Judged(Arc<dyn Fn(&str) -> bool + Send + Sync>),
}

impl Tenants {
    fn include(&self, tenant: &str) -> bool {
        match self {
            Self::Listed(tenants) => tenants.iter().any(|listed| listed == tenant),
            Self::Judged(is_one) => is_one(tenant),
        }
    }
}

/// Whose tokens they are: one issuer, or one for each tenant of a provider.
pub(super) enum Issuer {
    One(&'static str),
    EachTenants {
        /// As it was configured.
        template: &'static str,
        before: String,
        after: String,
        tenants: Tenants,
    },
}

impl Issuer {
    /// Whether an issuer names no tenant but has a place for one.
    pub(super) fn is_template(text: &str) -> bool {
        text.contains(TENANT)
    }

    /// Where a provider with many tenants speaks for all of them.
    pub(super) fn common(text: &str) -> String {
        text.replace(TENANT, "common")
    }

    /// `None` where a template has no tenants, or tenants no place in it.
    pub(super) fn new(text: &str, tenants: Option<Tenants>) -> Option<Self> {
        match (text.split_once(TENANT), tenants) {
            (None, None) => Some(Self::One(intern::text(text))),
            (Some((before, after)), Some(tenants)) if !Self::is_template(after) => {
                Some(Self::EachTenants {
                    template: intern::text(text),
                    before: before.to_owned(),
                    after: after.to_owned(),
                    tenants,
                })
            }
            _ => None,
        }
    }

    /// As it was configured.
    pub(super) fn configured(&self) -> &'static str {
        match self {
            Self::One(issuer) => issuer,
            Self::EachTenants { template, .. } => template,
        }
    }

    /// Whether a token that names this issuer may be one of these, before anything about it is
    /// verified. A function that judges tenants is not asked yet.
    #[inline]
    pub(super) fn may_be(&self, claimed: &str) -> bool {
        match self {
            Self::One(issuer) => *issuer == claimed,
            Self::EachTenants { tenants, .. } => match (self.tenant(claimed), tenants) {
                (Some(_), Tenants::Judged(_)) => true,
                (Some(tenant), Tenants::Listed(_)) => tenants.include(tenant),
                (None, _) => false,
            },
        }
    }

    /// An issuer that is one of these and of the others as well, as far as the configuration tells.
    pub(super) fn shared_with(&self, other: &Self) -> Option<&'static str> {
        let own = self.configured();
        let others = other.configured();
        if own == others || self.lists(others) {
            return Some(others);
        }
        other.lists(own).then_some(own)
    }

    /// Whether it is the issuer of a tenant that is named.
    fn lists(&self, issuer: &str) -> bool {
        let Self::EachTenants { tenants, .. } = self else {
            return false;
        };
        matches!(tenants, Tenants::Listed(_)) && self.may_be(issuer)
    }

    /// The issuer of a genuine token, where its tokens are accepted. `tenant` is what the token
    /// says besides, which must be the same.
    #[inline]
    pub(super) fn accepted(&self, claimed: &str, tenant: Option<&str>) -> Option<&'static str> {
        match self {
            Self::One(issuer) => (*issuer == claimed).then_some(*issuer),
            Self::EachTenants { tenants, .. } => {
                let named = self.tenant(claimed)?;
                let is_the_same = tenant.is_none_or(|tenant| tenant == named);
                // The text is kept for as long as the process runs. So only tenants that the
                // application lets in get one, and nobody fills the memory with made-up names.
                (is_the_same && tenants.include(named)).then(|| intern::text(claimed))
            }
        }
    }

    /// Whether it is still one of these, which it was when its token was verified.
    #[inline]
    pub(super) fn includes(&self, accepted: &str) -> bool {
        match self {
            Self::One(issuer) => *issuer == accepted,
            Self::EachTenants { tenants, .. } => self
                .tenant(accepted)
                .is_some_and(|tenant| tenants.include(tenant)),
        }
    }

    /// The tenant that an issuer of the template's form names.
    fn tenant<'c>(&self, claimed: &'c str) -> Option<&'c str> {
        let Self::EachTenants { before, after, .. } = self else {
            return None;
        };
        let tenant = claimed.strip_prefix(&**before)?.strip_suffix(&**after)?;
        // A tenant is one part of the path. With a slash in it, another issuer below the same host
        // could pass for one.
        let is_one = !tenant.is_empty() && !tenant.contains(['/', '?', '#', '{']);
        is_one.then_some(tenant)
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Issuer").field(&self.configured()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ENTRA: &str = "https://login.example.com/{tenantid}/v2.0";

    fn entra(tenants: Tenants) -> Issuer {
        Issuer::new(ENTRA, Some(tenants)).unwrap()
    }

    #[test]
    fn a_template_takes_the_issuers_of_its_tenants_alone() {
        let issuer = entra(Tenants::Listed(vec!["a-1".into(), "b-2".into()]));
        let of = |tenant: &str| format!("https://login.example.com/{tenant}/v2.0");
        assert_eq!(issuer.accepted(&of("a-1"), None), Some(&*of("a-1")));
        assert_eq!(issuer.accepted(&of("b-2"), Some("b-2")), Some(&*of("b-2")));
        for (name, claimed, tenant) in [
            ("another tenant", of("c-3"), None),
            ("what tid says is another", of("a-1"), Some("b-2")),
            ("nobody", of(""), None),
            ("the template itself", ENTRA.to_owned(), None),
            ("a longer path", of("a-1/b-2"), None),
            ("another host", "https://evil.example/a-1/v2.0".into(), None),
            ("no end", "https://login.example.com/a-1".into(), None),
            (
                "overlapping ends",
                "https://login.example.com/v2.0".into(),
                None,
            ),
            ("case", of("A-1"), None),
        ] {
            assert_eq!(issuer.accepted(&claimed, tenant), None, "{name}");
        }
    }

    #[test]
    fn a_function_may_judge_tenants() {
        let issuer = entra(Tenants::Judged(Arc::new(|tenant| tenant.len() == 3)));
        let of = |tenant: &str| format!("https://login.example.com/{tenant}/v2.0");
        assert!(issuer.accepted(&of("abc"), None).is_some());
        assert!(issuer.accepted(&of("abcd"), None).is_none());
        // It is not asked before the token is known to be genuine.
        assert!(issuer.may_be(&of("abcd")));
    }

    #[test]
    fn tenants_that_are_listed_decide_whose_token_it_is() {
        let issuer = entra(Tenants::Listed(vec!["a-1".into()]));
        let of = |tenant: &str| format!("https://login.example.com/{tenant}/v2.0");
        assert!(issuer.may_be(&of("a-1")));
        assert!(!issuer.may_be(&of("b-2")));
    }

    #[test]
    fn a_template_and_its_tenants_belong_together() {
        let listed = || Some(Tenants::Listed(Vec::new()));
        assert!(Issuer::new(ENTRA, None).is_none());
        assert!(Issuer::new("https://login.example.com", listed()).is_none());
        assert!(Issuer::new("https://{tenantid}.example/{tenantid}", listed()).is_none());
    }
}
