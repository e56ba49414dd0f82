//! What is tried first by whoever guesses: rules and a list of our own, not a record of leaked
//! passwords.

use std::collections::{HashMap, HashSet};
use std::sync::LazyLock;
use zeroize::Zeroizing;

/// Words, names and phrases of eight languages, grouped as they came to mind; also cut to eight
/// letters, which is where many systems cut.
static WORDS: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    let words = include_str!("common.txt").split_whitespace();
    words
        .flat_map(|word| [Some(word), word.get(..8).filter(|cut| cut.is_ascii())])
        .flatten()
        .collect()
});

/// What stands side by side on keyboards (QWERTY, QWERTZ, AZERTY, Russian; rows, columns, zigzags)
/// or in the alphabet.
const TRACKS: [&str; 37] = [
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890",
    "13579",
    "24680",
    "147258369",
    "159753",
    "741852963",
    "789456123",
    "789654123",
    "!@#$%^&*()_+",
    "!\"§$%&/()=",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "qwertzuiopü",
    "asdfghjklöä",
    "yxcvbnm,.-",
    "azertyuiop",
    "qsdfghjklm",
    "wxcvbn,;:!",
    "йцукенгшщзхъ",
    "фывапролджэ",
    "ячсмитьбю",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1qay2wsx3edc4rfv5tgb6zhn7ujm",
    "qaz",
    "wsx",
    "edc",
    "rfv",
    "tgb",
    "yhn",
    "ujm",
    "1q2w3e4r5t6y7u8i9o0p",
    "q1w2e3r4t5y6u7i8o9p0",
    "qawsedrftgyhujikolp",
    "a1b2c3d4e5f6g7h8i9",
    "1a2b3c4d5e6f7g8h9i",
];
/// What lies on the tracks from each key on, in both directions.
static TRACKS_FROM: LazyLock<HashMap<char, Vec<Vec<char>>>> = LazyLock::new(|| {
    let mut from: HashMap<char, Vec<Vec<char>>> = HashMap::new();
    for track in TRACKS {
        let forwards: Vec<char> = track.chars().collect();
        let backwards: Vec<char> = track.chars().rev().collect();
        for keys in [forwards, backwards] {
            for (at, key) in keys.iter().enumerate() {
                from.entry(*key).or_default().push(keys[at..].to_vec());
            }
        }
    }
    from
});
/// How many runs of three and more keys a password may consist of and still be common.
const MOST_RUNS: usize = 4;
/// The longest block whose repetition is no password.
const LONGEST_BLOCK: usize = 4;
/// How many digits and signs around a word add nothing.
const MOST_AFFIX: usize = 6;
/// What so long a run (in characters) begins or ends with adds nothing, up to this.
const LONG_RUN: usize = 6;
const MOST_BESIDE_RUN: usize = 2;
/// Two words are a first guess up to this (in letters); a longer pair is on its way to a
/// passphrase.
const LONGEST_PAIR: usize = 10;
/// Numbers of so many digits are counted through in an instant.
const LONGEST_NUMBER: usize = 12;
/// Beyond this (in characters) no rule but that of repetition looks.
const LONGEST: usize = 64;

/// Whether a password, in lower case, is one of the first guesses.
pub(super) fn is_common(password: &str) -> bool {
    let characters = Zeroizing::new(password.chars().collect::<Vec<_>>());
    let block = repeated(&characters);
    let repeats = block.len() < characters.len();
    if (repeats && block.len() <= LONGEST_BLOCK) || distinct(block) <= 2 {
        return true;
    }
    if block.len() > LONGEST {
        return false;
    }
    let typing = Typing::of(block);
    typing.reaches_end_from(0)
        || is_date(block)
        || is_number(block)
        || is_dressed_word(block, &typing)
}

/// The shortest block that a password is a repetition of, the last one perhaps cut: `abcabcab` is
/// of `abc`.
fn repeated(password: &[char]) -> &[char] {
    for length in 1..=password.len() / 2 {
        if password[length..] == password[..password.len() - length] {
            return &password[..length];
        }
    }
    password
}

fn distinct(password: &[char]) -> usize {
    let mut seen = Zeroizing::new(password.to_vec());
    seen.sort_unstable();
    seen.chunk_by(|a, b| a == b).count()
}

/// How a password lies along the keyboard and the alphabet, each key perhaps several times:
/// `qwerty123`, `zaq12wsx`, `11223344`. Found once at each character, because a password has as
/// many ends as characters, and each of them is asked about.
struct Typing {
    /// How many characters from each on are a run.
    runs: Vec<usize>,
    /// The same where one is left of equal ones side by side.
    runs_once: Vec<usize>,
    /// Where each character stands there.
    places_once: Vec<usize>,
}

impl Typing {
    fn of(password: &[char]) -> Self {
        let mut once = Zeroizing::new(password.to_vec());
        once.dedup();
        let mut places_once = Vec::new();
        let mut place = 0;
        for (at, c) in password.iter().enumerate() {
            if at > 0 && *c != password[at - 1] {
                place += 1;
            }
            places_once.push(place);
        }
        Self {
            runs: runs(password),
            runs_once: runs(&once),
            places_once,
        }
    }

    /// Whether all from this character on is typed so.
    fn reaches_end_from(&self, start: usize) -> bool {
        let runs = &self.runs[start..];
        let runs_once = &self.runs_once[self.places_once[start]..];
        is_runs(runs) || is_runs(runs_once) || is_nearly_run(runs)
    }
}

/// One long run and a key or two: `a123456789`, `qwertyuiop1q`.
fn is_nearly_run(runs: &[usize]) -> bool {
    let mut first = runs.iter().take(MOST_BESIDE_RUN + 1);
    first.any(|run| *run >= LONG_RUN && runs.len() - run <= MOST_BESIDE_RUN)
}

fn is_runs(mut rest: &[usize]) -> bool {
    for _ in 0..MOST_RUNS {
        let run = rest[0];
        if run < 3 {
            return false;
        }
        rest = &rest[run..];
        if rest.is_empty() {
            return true;
        }
    }
    false
}

fn runs(text: &[char]) -> Vec<usize> {
    (0..text.len())
        .map(|start| longest_run(&text[start..]))
        .collect()
}

/// How many characters from the start on lie on one track, in either direction, or are equal.
fn longest_run(text: &[char]) -> usize {
    let equal = text.iter().take_while(|c| **c == text[0]).count();
    let mut longest = equal;
    for track in TRACKS_FROM.get(&text[0]).into_iter().flatten() {
        longest = longest.max(common_run(text, track));
    }
    longest
}

fn common_run(text: &[char], track: &[char]) -> usize {
    let pairs = text.iter().zip(track);
    pairs.take_while(|(a, b)| a == b).count()
}

/// A number of a telephone, a card or a house: what can be counted through.
fn is_number(password: &[char]) -> bool {
    password.len() <= LONGEST_NUMBER && password.iter().all(char::is_ascii_digit)
}

/// `19841231`, `31121984` or `12311984`, perhaps with signs between: `31.12.1984`.
fn is_date(password: &[char]) -> bool {
    let digits: Zeroizing<Vec<u32>> =
        Zeroizing::new(password.iter().filter_map(|c| c.to_digit(10)).collect());
    let only = password
        .iter()
        .all(|c| c.is_ascii_digit() || ".-/ ".contains(*c));
    let [a, b, c, d, e, f, g, h] = digits[..] else {
        return false;
    };
    let year_first = is_century(a, b) && is_day([e, f, g, h]);
    let year_last = is_century(e, f) && is_day([a, b, c, d]);
    only && (year_first || year_last)
}

fn is_century(a: u32, b: u32) -> bool {
    matches!(a * 10 + b, 19..=20)
}

/// A day and a month, in either order.
fn is_day([a, b, c, d]: [u32; 4]) -> bool {
    let first = a * 10 + b;
    let second = c * 10 + d;
    matches!((first, second), (1..=31, 1..=12) | (1..=12, 1..=31))
}

/// A word of the list, perhaps backwards, with letters as digits or signs, and a few digits and
/// signs around.
fn is_dressed_word(password: &[char], typing: &Typing) -> bool {
    let before = affix(password.iter()).min(MOST_AFFIX);
    let after = affix(password.iter().rev());
    for end in 0..=after {
        let core_end = password.len() - end;
        // More digits than that would add something, unless they are a run or a date themselves.
        let adds_nothing =
            end > 0 && (typing.reaches_end_from(core_end) || is_date(&password[core_end..]));
        for start in 0..=before {
            let is_bare = start + end <= MOST_AFFIX || adds_nothing;
            if is_bare && start < core_end && is_word(&password[start..core_end]) {
                return true;
            }
        }
    }
    false
}

/// How many digits and signs come first.
fn affix<'p>(characters: impl Iterator<Item = &'p char>) -> usize {
    characters.take_while(|c| !c.is_alphabetic()).count()
}

fn is_word(core: &[char]) -> bool {
    // A 1 is an i or an l.
    ['i', 'l'].into_iter().any(|one| {
        let plain: Zeroizing<String> = core
            .iter()
            .filter_map(|c| letter(*c, one))
            .collect::<String>()
            .into();
        let backwards: Zeroizing<String> = plain.chars().rev().collect::<String>().into();
        WORDS.contains(plain.as_str()) || WORDS.contains(backwards.as_str()) || is_pair(&plain)
    })
}

fn is_pair(text: &str) -> bool {
    let halves = text
        .char_indices()
        .filter_map(|(at, _)| text.split_at_checked(at));
    text.len() <= LONGEST_PAIR
        && halves
            .into_iter()
            .any(|(first, second)| WORDS.contains(first) && WORDS.contains(second))
}

/// The letter that a digit or a sign stands for; `None` is one that only separates.
fn letter(c: char, one: char) -> Option<char> {
    Some(match c {
        '0' => 'o',
        '1' | '!' | '|' => one,
        '3' | '€' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' | '+' => 't',
        '8' => 'b',
        '9' => 'g',
        ' ' | '.' | '-' | '_' => return None,
        other => other,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn first_guesses_are_common() {
        for (name, passwords) in [
            (
                "repetitions",
                &[
                    "aaaaaaaa",
                    "abababab",
                    "abcabcab",
                    "x7!x7!x7!",
                    "11111112",
                    "🐎🐎🐎🐎🐎🐎🐎🐎",
                ][..],
            ),
            (
                "sequences",
                &[
                    "12345678",
                    "87654321",
                    "1234567890",
                    "abcdefgh",
                    "abcd1234",
                    "13579135",
                    "11223344",
                ],
            ),
            (
                "keyboards",
                &[
                    "qwertyui",
                    "qwertz123",
                    "asdfghjkl",
                    "zaq12wsx",
                    "1q2w3e4r",
                    "qweasdzxc",
                    "!@#$%^&*",
                    "azerty123",
                ],
            ),
            ("nearly runs", &["a123456789", "123456789a", "qwertyuiop1q"]),
            ("numbers", &["83927461", "004915112345"]),
            (
                "dates",
                &[
                    "19841231",
                    "31121984",
                    "12311984",
                    "31.12.1984",
                    "2001-02-03",
                ],
            ),
            (
                "words",
                &[
                    "password",
                    "sunshine",
                    "iloveyou",
                    "passwort1",
                    "йцукенгш",
                    "motdepasse",
                ],
            ),
            (
                "around words",
                &[
                    "dragon2024!",
                    "1dragon1",
                    "!!dragon",
                    "welcome123456789",
                    "monkey19841231",
                    "basebal1",
                ],
            ),
            (
                "letters",
                &[
                    "p4ssw0rd",
                    "p@$$w0rd!",
                    "5unsh1ne",
                    "w3lc0me1",
                    "we1come1",
                    "adm1n123",
                    "pass_word",
                ],
            ),
            ("backwards", &["drowssap", "nogard12"]),
            (
                "repeated words",
                &["adminadmin", "testtest", "dragondragondragon"],
            ),
            ("pairs", &["darkstar", "passadmin1"]),
            ("cut to eight", &["liverpoo", "alexande"]),
        ] {
            for password in passwords {
                assert!(is_common(password), "{name}: {password}");
            }
        }
    }

    #[test]
    fn what_nobody_would_guess_first_is_not() {
        for password in [
            "vkbqmwzr",
            "correct-horse-battery",
            "correct horse battery staple",
            "purple-wizard-lamp",
            "dragon83927461",
            "8392746158027",
            "9f3k-2mzq",
            "abcxqz7w",
            "密码是我的秘密呀哈",
        ] {
            assert!(!is_common(password), "{password}");
        }
    }

    #[test]
    fn runs_and_dates_add_nothing_to_a_word_and_other_long_endings_do() {
        for (password, expected) in [
            ("dragon1234567", true),
            ("dragon123456789", true),
            ("dragon12345678x", false),
            ("dragon1122334455", true),
            ("dragon11122233344", true),
            ("dragon777777777", true),
            ("dragon12312312", false),
            ("dragon1231231", false),
            ("dragon19841231", true),
            ("dragon31.12.1984", true),
            ("dragon1984123", false),
            ("dragon!1234567!", true),
            ("monkey!@#$%^&*", true),
            ("12dragon7654321", true),
            ("1234567dragon", false),
            ("!!!!!!!dragon", false),
            ("vkbqmwzr1234567", false),
            ("xq12345678", true),
            ("xyq12345678", false),
            ("12345678xy", true),
            ("12345678xyq", false),
            ("xq31121984", false),
            ("qwe123asd456", true),
            ("qwe123asd456z", false),
            ("qweasdzxc123qweasd", false),
            ("aaabbbcccdddeee", true),
            ("qqwweerrttyy", true),
            ("9876543210zyx", true),
            ("1!2@3#4$5%", false),
        ] {
            assert_eq!(is_common(password), expected, "{password}");
        }
    }

    proptest! {
        #[test]
        fn an_ending_is_typed_as_it_is_where_it_stands_alone(
            pieces in prop::collection::vec("qwer|asd|1234|zzz|77|é|x|!@#", 1..8),
        ) {
            let password: Vec<char> = pieces.concat().chars().collect();
            let typing = Typing::of(&password);
            for start in 0..password.len() {
                let alone = Typing::of(&password[start..]);
                prop_assert_eq!(typing.reaches_end_from(start), alone.reaches_end_from(0));
            }
        }
    }

    #[test]
    fn every_word_is_written_as_passwords_are_compared() {
        let strange = |word: &&str| word.chars().any(|c| !c.is_lowercase());
        assert_eq!(WORDS.iter().find(|word| strange(word)), None);
    }
}
