use super::Source;
use super::source::Place;

/// What the configured schemes accept, and where: hence what is a credential at all.
#[derive(Debug, Default)]
pub(crate) struct Accepted {
    /// Where JWTs are read.
    pub(crate) tokens: Vec<Source>,
    /// API keys, one entry for each prefix and at most one without.
    pub(crate) api_keys: Vec<AcceptedKeys>,
    /// The names of the algorithms of proofs, spaces between them; none where no token is bound to
    /// a key (RFC 9449 §7.1).
    pub(crate) proof_algorithms: String,
    /// Tokens that are bound to a certificate are accepted.
    pub(crate) certificates: bool,
    /// Names and passwords are accepted as Basic.
    pub(crate) basic: bool,
    /// A scheme of the application's own takes the Bearer tokens that no other one claims.
    pub(crate) own_bearer: bool,
    /// The names of the application's own schemes, but for `Bearer`.
    pub(crate) others: Vec<&'static str>,
    /// The longest credential that is looked at, in bytes.
    pub(crate) max_len: usize,
    /// The URL that browsers know the server by.
    pub(crate) public_url: Option<String>,
}

/// API keys of one form.
#[derive(Debug)]
pub(crate) struct AcceptedKeys {
    /// What they begin with, the `_` or `-` included; `None` is a bare key.
    pub(crate) prefix: Option<Box<str>>,
    /// Where they are read.
    pub(crate) sources: Vec<Source>,
}

impl Accepted {
    /// Adds sources of JWTs.
    #[cfg(feature = "jwt")]
    pub(crate) fn read_tokens_at<'s>(&mut self, sources: impl Iterator<Item = &'s Source>) {
        for source in sources {
            if !self.tokens.contains(source) {
                self.tokens.push(source.clone());
            }
        }
    }

    /// The sources that anybody reads, each once.
    pub(crate) fn sources(&self) -> Vec<Source> {
        let of_keys = self.api_keys.iter().flat_map(|keys| &keys.sources);
        let mut distinct: Vec<Source> = Vec::new();
        if self.own_bearer {
            distinct.push(Source::bearer());
        }
        for source in self.tokens.iter().chain(of_keys) {
            if !distinct.contains(source) {
                distinct.push(source.clone());
            }
        }
        distinct
    }

    /// Whether it matters to anybody who sends a credential.
    pub(super) fn reads_senders(&self) -> bool {
        !self.proof_algorithms.is_empty() || self.certificates
    }

    /// Whether anybody reads that source.
    pub(crate) fn reads(&self, source: &Source) -> bool {
        self.sources().contains(source)
    }

    /// Whether Basic is read, as names and passwords or as keys.
    pub(crate) fn reads_basic(&self) -> bool {
        self.basic || self.reads(&Source::basic())
    }

    /// Whether a Bearer is a JWT and nothing else.
    #[cfg(feature = "openapi")]
    pub(crate) fn takes_only_tokens_as_bearer(&self) -> bool {
        let bearer = Source::bearer();
        let mut keys = self.api_keys.iter();
        !self.own_bearer && !keys.any(|keys| keys.sources.contains(&bearer))
    }

    /// The request fields that an answer depends on (RFC 9110 §12.5.5). A query parameter is part
    /// of the URL.
    pub(crate) fn fields(&self) -> String {
        // Named in any case, because it is always read: a credential there that is not accepted is
        // refused.
        let mut fields = vec!["Authorization"];
        let sources = self.sources();
        for source in &sources {
            let field = match &source.0 {
                Place::Header(name) => name,
                Place::Cookie(_) => "Cookie",
                Place::WebSocket(_) => "Sec-WebSocket-Protocol",
                Place::Dpop => "DPoP",
                Place::Bearer | Place::ApiKey | Place::Token | Place::Basic | Place::Query(_) => {
                    continue;
                }
            };
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        fields.join(", ")
    }

    /// One challenge for each authentication scheme that is accepted (RFC 9110 §11.6.1): its name
    /// and its parameters.
    ///
    /// Where none is, because every credential stands elsewhere, a 401 still has to have a
    /// challenge (RFC 9110 §15.5.2): then each place gets one that says where it is, in the
    /// words of OpenAPI.
    pub(crate) fn challenges(&self, metadata: Option<&str>) -> Vec<(&'static str, String)> {
        let mut challenges = Vec::new();
        if self.reads(&Source::bearer()) {
            let metadata = metadata.map(|url| format!(", resource_metadata=\"{url}\""));
            challenges.push(("Bearer", metadata.unwrap_or_default()));
        }
        if self.reads(&Source::dpop()) {
            challenges.push(("DPoP", format!(", algs=\"{}\"", self.proof_algorithms)));
        }
        if self.reads(&Source::api_key()) {
            challenges.push(("Api-Key", String::new()));
        }
        if self.reads(&Source::token()) {
            challenges.push(("Token", String::new()));
        }
        if self.reads_basic() {
            // RFC 7617 §2.1: names and passwords are read as UTF-8.
            challenges.push(("Basic", String::from(", charset=\"UTF-8\"")));
        }
        challenges.extend(self.others.iter().map(|name| (*name, String::new())));
        // A 401 has one challenge at least (RFC 9110 §15.5.2), also where credentials stand in none
        // of these fields.
        if challenges.is_empty() {
            challenges.extend(self.sources().iter().filter_map(elsewhere));
        }
        challenges
    }
}

/// The challenge of a place that is not in `Authorization`.
fn elsewhere(source: &Source) -> Option<(&'static str, String)> {
    let (kind, name) = match &source.0 {
        Place::Bearer | Place::Dpop | Place::ApiKey | Place::Token | Place::Basic => return None,
        Place::Header(name) => ("header", name),
        Place::Cookie(name) => ("cookie", name),
        Place::Query(name) => ("query", name),
        Place::WebSocket(name) => ("websocket", name),
    };
    Some(("ApiKey", format!(", in=\"{kind}\", name=\"{name}\"")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys_at(sources: impl Into<Vec<Source>>) -> Accepted {
        let keys = AcceptedKeys {
            prefix: Some("egret_".into()),
            sources: sources.into(),
        };
        Accepted {
            api_keys: vec![keys],
            ..Accepted::default()
        }
    }

    #[test]
    fn challenges_list_exactly_what_is_accepted() {
        let names = |accepted: &Accepted| -> Vec<String> {
            let challenges = accepted.challenges(None).into_iter();
            challenges
                .map(|(name, parameters)| format!("{name}{parameters}"))
                .collect()
        };
        assert_eq!(names(&keys_at([Source::bearer()])), ["Bearer"]);
        assert_eq!(names(&keys_at([Source::api_key()])), ["Api-Key"]);
        let header = [Source::header("X-Key"), Source::api_key()];
        assert_eq!(names(&keys_at(header)), ["Api-Key"]);
        let elsewhere = [Source::header("X-Key"), Source::query("key")];
        let lines = [
            r#"ApiKey, in="header", name="X-Key""#,
            r#"ApiKey, in="query", name="key""#,
        ];
        assert_eq!(names(&keys_at(elsewhere)), lines);
        let basic = [Source::basic(), Source::header("X-Key")];
        assert_eq!(names(&keys_at(basic)), ["Basic, charset=\"UTF-8\""]);
        let own = Accepted {
            own_bearer: true,
            basic: true,
            others: vec!["Badge"],
            ..keys_at([Source::header("X-Key")])
        };
        assert_eq!(names(&own), ["Bearer", "Basic, charset=\"UTF-8\"", "Badge"]);
    }

    #[test]
    fn the_fields_are_those_that_are_read() {
        let all = [
            Source::bearer(),
            Source::basic(),
            Source::header("X-Key"),
            Source::header("x-key"),
            Source::query("key"),
            Source::cookie("__Host-a"),
            Source::cookie("__Host-b"),
            Source::websocket("bearer"),
        ];
        let fields = "Authorization, X-Key, Cookie, Sec-WebSocket-Protocol";
        assert_eq!(keys_at(all).fields(), fields);
        assert_eq!(keys_at([]).fields(), "Authorization");
    }
}
