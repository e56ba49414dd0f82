//! The protocols that a client of a WebSocket offers (RFC 6455 §4.1).

use crate::reject::RejectionKind;
use http::header::SEC_WEBSOCKET_PROTOCOL;
use http::{HeaderMap, HeaderValue};
use zeroize::Zeroizing;

/// Whether an item `name.…` is offered.
pub(super) fn has_item(headers: &HeaderMap, name: &str) -> bool {
    items(headers).any(|item| value_in(item, name).is_some())
}

/// The first of the protocols that are no credential: what an answer may choose.
pub(super) fn first_other(headers: &HeaderMap, names: &[&str]) -> Option<HeaderValue> {
    let other = items(headers).find(|item| !is_secret(item, names))?;
    HeaderValue::from_bytes(other).ok()
}

fn is_secret(item: &[u8], names: &[&str]) -> bool {
    names.iter().any(|name| value_in(item, name).is_some())
}

/// Takes the item `name.…` out of the field, so that no inner service can choose it, and gives what
/// follows the name.
pub(super) fn take_item(
    headers: &mut HeaderMap,
    name: &str,
) -> Result<Option<Zeroizing<Vec<u8>>>, RejectionKind> {
    let mut found = None;
    let mut times = 0;
    let mut others: Vec<&[u8]> = Vec::new();
    for item in items(headers) {
        match value_in(item, name) {
            Some(value) => {
                times += 1;
                found = Some(Zeroizing::new(value.to_vec()));
            }
            None => others.push(item),
        }
    }
    if times == 0 {
        return Ok(None);
    }
    let rest = HeaderValue::from_bytes(&others.join(&b", "[..]));
    headers.remove(SEC_WEBSOCKET_PROTOCOL);
    if let Ok(rest) = rest
        && !rest.is_empty()
    {
        headers.insert(SEC_WEBSOCKET_PROTOCOL, rest);
    }
    if times > 1 {
        return Err(RejectionKind::RepeatedField);
    }
    Ok(found)
}

/// The field may come in several lines (RFC 6455 §11.3.4).
fn items(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    headers
        .get_all(SEC_WEBSOCKET_PROTOCOL)
        .into_iter()
        .flat_map(|line| line.as_bytes().split(|b| *b == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|item| !item.is_empty())
}

fn value_in<'h>(item: &'h [u8], name: &str) -> Option<&'h [u8]> {
    item.strip_prefix(name.as_bytes())?.strip_prefix(b".")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offering(lines: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(SEC_WEBSOCKET_PROTOCOL, line.parse().unwrap());
        }
        headers
    }

    fn left(headers: &HeaderMap) -> Vec<&str> {
        let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL);
        lines.iter().map(|line| line.to_str().unwrap()).collect()
    }

    #[test]
    fn the_item_is_taken_out_and_the_first_of_the_others_may_be_chosen() {
        for (lines, value, rest, first) in [
            (
                &["chat, bearer.a.b.c"][..],
                "a.b.c",
                &["chat"][..],
                Some("chat"),
            ),
            (&["bearer.x", "v2,v1"], "x", &["v2, v1"], Some("v2")),
            (&["bearer.x"], "x", &[], None),
            (&["bearer., chat"], "", &["chat"], Some("chat")),
        ] {
            let mut headers = offering(lines);
            assert!(has_item(&headers, "bearer"));
            let chosen = first_other(&headers, &["bearer"]);
            assert_eq!(
                chosen.as_ref().map(|chosen| chosen.to_str().unwrap()),
                first
            );
            let found = take_item(&mut headers, "bearer").unwrap().unwrap();
            assert_eq!(
                (&found[..], left(&headers)),
                (value.as_bytes(), rest.to_vec())
            );
        }
        for line in ["chat", "bearer", "Bearer.x", "xbearer.x, bearer64.x"] {
            let mut headers = offering(&[line]);
            assert_eq!(take_item(&mut headers, "bearer"), Ok(None));
            assert_eq!(left(&headers), [line]);
        }
    }

    #[test]
    fn two_items_are_refused_and_taken_out_too() {
        let mut headers = offering(&["bearer.x, chat", "bearer.x"]);
        let repeated = Err(RejectionKind::RepeatedField);
        assert_eq!(take_item(&mut headers, "bearer"), repeated);
        assert_eq!(left(&headers), ["chat"]);
    }
}
