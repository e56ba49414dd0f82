use std::cmp::Ordering;

/// The parameters of a path that was asked for, by name.
pub(super) type Parameters = Vec<(Box<str>, String)>;

/// A path with parameters: `/agents/{id}/api-keys/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Path {
    text: Box<str>,
    segments: Vec<Segment>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Exactly(Box<str>),
    Parameter(Box<str>),
}

impl Path {
    /// `None` where it does not begin with a `/`, braces do not enclose a whole segment or enclose a
    /// name twice, or a segment begins like the parameters of earlier routers, which axum refuses.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let segments = text.strip_prefix('/')?.split('/').map(|segment| {
            let parameter = segment
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            match parameter {
                Some(name) if !name.is_empty() && !name.contains(['{', '}', '*']) => {
                    Some(Segment::Parameter(name.into()))
                }
                None if !segment.contains(['{', '}', '?', '#'])
                    && !segment.starts_with([':', '*']) =>
                {
                    Some(Segment::Exactly(segment.into()))
                }
                _ => None,
            }
        });
        let segments: Vec<Segment> = segments.collect::<Option<_>>()?;
        for (at, segment) in segments.iter().enumerate() {
            if matches!(segment, Segment::Parameter(_)) && segments[..at].contains(segment) {
                return None;
            }
        }
        Some(Self {
            text: text.into(),
            segments,
        })
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }

    #[cfg(feature = "openapi")]
    pub(super) fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(name) => Some(&**name),
            Segment::Exactly(_) => None,
        })
    }

    /// The parameters of a path that fits. Segments are compared as they were sent, byte for byte:
    /// no other spelling reaches a route.
    pub(super) fn matches(&self, path: &str) -> Option<Parameters> {
        let mut parts = path.strip_prefix('/')?.split('/');
        let mut parameters = Parameters::new();
        for segment in &self.segments {
            match (segment, parts.next()?) {
                (Segment::Exactly(expected), part) if **expected == *part => {}
                (Segment::Parameter(name), part) if is_plain(part) => {
                    parameters.push((name.clone(), part.to_owned()));
                }
                _ => return None,
            }
        }
        match parts.next() {
            None => Some(parameters),
            Some(_) => None,
        }
    }

    /// Which of two that fit the same request comes first: the one that is exact where only the
    /// other one has a parameter, at the first such segment.
    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let ours = self.segments.iter().map(Segment::is_parameter);
        ours.cmp(other.segments.iter().map(Segment::is_parameter))
    }

    /// Whether two paths can fit the same request in the same way.
    pub(super) fn is_like(&self, other: &Self) -> bool {
        let mut pairs = self.segments.iter().zip(&other.segments);
        self.segments.len() == other.segments.len()
            && pairs.all(|(ours, other)| ours.is_like(other))
    }
}

impl Segment {
    fn is_parameter(&self) -> bool {
        matches!(self, Self::Parameter(_))
    }

    fn is_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Exactly(ours), Self::Exactly(other)) => ours == other,
            // What a parameter is called makes no difference to a request.
            (Self::Parameter(_), Self::Parameter(_)) => true,
            _ => false,
        }
    }
}

/// Ids need no percent-encoding, so what has one is no id.
fn is_plain(part: &str) -> bool {
    !part.is_empty() && !part.contains('%')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_fits_whole_and_as_it_is_spelled() {
        let path = Path::parse("/agents/{id}/api-keys/").unwrap();
        let id = |text: &str| path.matches(text).map(|parameters| parameters[0].1.clone());
        assert_eq!(id("/agents/7/api-keys/").as_deref(), Some("7"));
        for other in [
            "/agents/7/api-keys",
            "/agents//api-keys/",
            "/agents/7/8/api-keys/",
            "/Agents/7/api-keys/",
            "/agents/%37/api-keys/",
            "//agents/7/api-keys/",
            "agents/7/api-keys/",
            "/agents/7/api-keys//",
            "",
        ] {
            assert_eq!(id(other), None, "{other}");
        }
    }

    #[test]
    fn a_pattern_has_whole_segments() {
        for wrong in [
            "",
            "agents",
            "/{}",
            "/a{b}",
            "/{a}b",
            "/{*rest}",
            "/a?b",
            "/{a",
            "/{a}/b/{a}/",
            "/:a/",
            "/a/*b",
        ] {
            assert_eq!(Path::parse(wrong), None, "{wrong}");
        }
    }
}
