//! Globs as Greenwave's policies use them: Python's `fnmatch`, with `*`, `?`, `[abc]`, `[a-z]` and `[!abc]`.

/// Whether the whole of `text` matches.
pub(crate) fn matches(glob: &str, text: &str) -> bool {
    let (glob, text): (Vec<char>, Vec<char>) = (glob.chars().collect(), text.chars().collect());
    // Where to go on when what follows the last star turns out not to fit: the star takes one character more.
    let mut retry: Option<(usize, usize)> = None;
    let (mut at, mut place) = (0, 0);
    while place < text.len() {
        if glob.get(at) == Some(&'*') {
            retry = Some((at + 1, place));
            at += 1;
        } else if let Some(width) = match_one(&glob[at..], text[place]) {
            at += width;
            place += 1;
        } else if let Some((after_star, taken)) = retry {
            retry = Some((after_star, taken + 1));
            (at, place) = (after_star, taken + 1);
        } else {
            return false;
        }
    }
    glob[at..].iter().all(|rest| *rest == '*')
}

/// How many characters of the glob match this one character, if they do.
fn match_one(glob: &[char], character: char) -> Option<usize> {
    match glob {
        [] => None,
        ['?', ..] => Some(1),
        ['[', rest @ ..] => match set(rest) {
            Some((members, width)) => contains(members, character).then_some(width + 1),
            // A bracket that is never closed means itself.
            None => (character == '[').then_some(1),
        },
        [literal, ..] => (*literal == character).then_some(1),
    }
}

/// The members of a set whose opening bracket was read, and how many characters it has with the closing one.
fn set(rest: &[char]) -> Option<(&[char], usize)> {
    // A closing bracket that comes first is a member.
    let first = usize::from(rest.first() == Some(&'!'));
    let end = rest.iter().skip(first + 1).position(|c| *c == ']')? + first + 1;
    Some((&rest[..end], end + 1))
}

fn contains(members: &[char], character: char) -> bool {
    let (negated, mut members) = match members {
        ['!', rest @ ..] => (true, rest),
        _ => (false, members),
    };
    let mut found = false;
    loop {
        members = match members {
            [] => return found != negated,
            [low, '-', high, rest @ ..] => {
                found |= (*low..=*high).contains(&character);
                rest
            }
            [member, rest @ ..] => {
                found |= *member == character;
                rest
            }
        };
    }
}

#[cfg(test)]
mod tests {
    use super::matches;
    use proptest::prelude::*;

    fn check(glob: &str, fitting: &str, other: &str) {
        for text in fitting.split(' ') {
            assert!(matches(glob, text), "{glob} does not match {text}");
        }
        for text in other.split(' ') {
            assert!(!matches(glob, text), "{glob} matches {text}");
        }
    }

    #[test]
    fn globs_match_as_fnmatch_does() {
        check("fedora-*", "fedora-44 fedora-", "fedora xfedora-44");
        check("f4?", "f44 f4*", "f4 f444");
        check("f[0-9][0-9]", "f44 f40", "f4x f4");
        check("*[!0-9]", "main 44x", "f44");
        check("*a*b", "ab xaxbab", "abx ba");
        check("[]]", "]", "[ x");
        check("[a-]", "a -", "b");
        check("[ab", "[ab", "a b");
    }

    #[test]
    fn a_star_matches_everything() {
        for text in ["", "f44", "a b\n"] {
            assert!(matches("*", text) && matches("**", text));
        }
        assert!(matches("", "") && !matches("", "x") && !matches("?", ""));
    }

    proptest! {
        #[test]
        fn any_glob_is_read(glob in "[\\[\\]!*?a-c-]{0,12}", text in "[\\[\\]a-c-]{0,12}") {
            // A glob surrounded by stars matches at least what the glob itself matches.
            let found = matches(&format!("*{glob}*"), &text);
            prop_assert!(found || !matches(&glob, &text));
        }
    }
}
