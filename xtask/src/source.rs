//! A Rust file as the rules see it: line by line, with code, comments and text told apart.

/// One Rust file. The lines of `code` and `comments` are as long as those of `raw`, with spaces in
/// place of what is not theirs, so that a place found in one is the same place in the others.
pub(crate) struct Source {
    /// Path from the root of the repository.
    pub(crate) path: String,
    pub(crate) raw: Vec<String>,
    /// Without comments and without the contents of strings and characters.
    pub(crate) code: Vec<String>,
    /// Comments only, documentation included.
    pub(crate) comments: Vec<String>,
    /// Which lines are compiled for tests, benches and examples only.
    pub(crate) test: Vec<bool>,
}

/// A function with a body: lines count from zero.
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) line: usize,
    /// Lines inside the braces that hold code, which is how clippy counts.
    pub(crate) length: usize,
}

impl Source {
    /// Reads the text of the file at `path`.
    pub(crate) fn parse(path: &str, text: &str) -> Self {
        let (code, comments) = split(text);
        let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
        let mut source = Self {
            path: path.to_owned(),
            raw: lines(text),
            code: lines(&code),
            comments: lines(&comments),
            test: Vec::new(),
        };
        source.test = vec![is_test_path(path); source.raw.len()];
        for start in source.test_gates() {
            let end = source.item_end(start);
            source.test[start..=end].fill(true);
        }
        source
    }

    /// The files, without `.rs`, of modules that this file declares for tests only.
    pub(crate) fn test_modules(&self) -> Vec<String> {
        let folder = match self.path.rsplit_once('/') {
            Some((folder, "lib.rs" | "main.rs")) => folder,
            _ => self.path.trim_end_matches(".rs"),
        };
        let declared = |gate: usize| {
            let line = self.code[gate..=self.item_end(gate)].last()?;
            let words = line.trim().strip_suffix(';')?;
            words.rsplit_once("mod ").map(|(_, name)| format!("{folder}/{name}"))
        };
        self.test_gates().into_iter().filter_map(declared).collect()
    }

    /// The lines that are not for tests, with their numbers from zero.
    pub(crate) fn production(&self) -> impl Iterator<Item = (usize, &str)> {
        let lines = self.code.iter().enumerate();
        lines.filter(|(line, _)| !self.test[*line]).map(|(line, code)| (line, code.as_str()))
    }

    /// The functions that are not for tests.
    pub(crate) fn functions(&self) -> Vec<Function> {
        let named = self.production().filter_map(|(line, code)| Some((line, function_name(code)?)));
        let mut functions = Vec::new();
        for (line, name) in named {
            let end = self.item_end(line);
            let Some(open) = (line..=end).find(|at| self.code[*at].contains('{')) else { continue };
            let body = self.code.get(open + 1..end).unwrap_or_default();
            let length = body.iter().filter(|code| !code.trim().is_empty()).count();
            functions.push(Function { name: name.to_owned(), line, length });
        }
        functions
    }

    /// The last line of the item that starts at `line`: where its braces close, or its semicolon.
    pub(crate) fn item_end(&self, line: usize) -> usize {
        let mut depth = 0_usize;
        for (at, code) in self.code.iter().enumerate().skip(line) {
            for character in code.chars() {
                match character {
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' => depth = depth.saturating_sub(1),
                    '}' if depth <= 1 => return at,
                    '}' => depth -= 1,
                    ';' if depth == 0 => return at,
                    _ => {}
                }
            }
        }
        self.code.len() - 1
    }

    /// The lines of `#[cfg(test)]` and of attributes that also let a feature in for tests.
    fn test_gates(&self) -> Vec<usize> {
        let gate = |(line, code): (usize, &String)| {
            let raw = &self.raw[line];
            let for_tests = code.trim_start().starts_with("#[cfg(")
                && raw.contains("test")
                && !raw.contains("not(test");
            for_tests.then_some(line)
        };
        self.code.iter().enumerate().filter_map(gate).collect()
    }
}

/// Whether everything in a file is for tests, benches or examples, going by its folder.
fn is_test_path(path: &str) -> bool {
    let folders = path.split('/').rev().skip(1);
    folders.into_iter().any(|folder| matches!(folder, "tests" | "benches" | "examples"))
}

/// The name after `fn`, if a function is declared on this line.
fn function_name(code: &str) -> Option<&str> {
    let (before, after) = code.split_once("fn ")?;
    let declares = before.is_empty() || before.ends_with([' ', '\t']);
    let end = after.find(|c: char| !is_word(c)).unwrap_or(after.len());
    (declares && end > 0).then(|| &after[..end])
}

/// Whether `wanted` stands in `code` with nothing of a longer name around it.
pub(crate) fn has_word(code: &str, wanted: &str) -> bool {
    code.match_indices(wanted).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + wanted.len()..].chars().next();
        let open_end = wanted.ends_with(is_word) && after.is_some_and(is_word);
        !before.is_some_and(is_word) && !open_end
    })
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Code,
    Comment,
    Text,
}

/// The code and the comments of a text, each with spaces in place of the other.
fn split(text: &str) -> (String, String) {
    let characters: Vec<char> = text.chars().collect();
    let (mut code, mut comments) = (String::new(), String::new());
    let mut rest = characters.as_slice();
    while !rest.is_empty() {
        let (kind, length) = piece(rest);
        let (these, others) = rest.split_at(length.min(rest.len()));
        for character in these {
            let space = if *character == '\n' { '\n' } else { ' ' };
            code.push(if kind == Kind::Code { *character } else { space });
            comments.push(if kind == Kind::Comment { *character } else { space });
        }
        rest = others;
    }
    (code, comments)
}

/// What a text starts with, and for how many characters. The text is never empty.
fn piece(text: &[char]) -> (Kind, usize) {
    match text {
        ['/', '/', ..] => {
            (Kind::Comment, text.iter().position(|c| *c == '\n').unwrap_or(text.len()))
        }
        ['/', '*', ..] => (Kind::Comment, block_comment(text)),
        ['"', ..] => (Kind::Text, quoted(text, '"')),
        ['b' | 'c', '"', ..] => (Kind::Text, 1 + quoted(&text[1..], '"')),
        ['\'', '\\', ..] => (Kind::Text, quoted(text, '\'')),
        ['\'', _, '\'', ..] => (Kind::Text, 3),
        [first, ..] if is_word(*first) => match raw_string(text) {
            Some(length) => (Kind::Text, length),
            None => (Kind::Code, text.iter().take_while(|c| is_word(**c)).count()),
        },
        _ => (Kind::Code, 1),
    }
}

/// The length of a comment in `/* */`, which may hold others.
fn block_comment(text: &[char]) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    while at < text.len() {
        match text[at..] {
            ['/', '*', ..] => depth += 1,
            ['*', '/', ..] => depth -= 1,
            _ => {
                at += 1;
                continue;
            }
        }
        at += 2;
        if depth == 0 {
            return at;
        }
    }
    text.len()
}

/// The length of a string or a character, its quotes included.
fn quoted(text: &[char], quote: char) -> usize {
    let mut at = 1;
    while at < text.len() {
        match text[at] {
            '\\' => at += 2,
            character if character == quote => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

/// The length of a raw string such as `r#"…"#`, if the text starts with one.
fn raw_string(text: &[char]) -> Option<usize> {
    let prefix = match text {
        ['r', ..] => 1,
        ['b' | 'c', 'r', ..] => 2,
        _ => return None,
    };
    let hashes = text[prefix..].iter().take_while(|c| **c == '#').count();
    let open = prefix + hashes;
    if text.get(open) != Some(&'"') {
        return None;
    }
    let closes = |at: &usize| {
        text[*at] == '"'
            && text[at + 1..].iter().take(hashes).filter(|c| **c == '#').count() == hashes
    };
    let close = (open + 1..text.len()).find(closes);
    Some(close.map_or(text.len(), |at| at + 1 + hashes))
}

#[cfg(test)]
mod tests {
    use super::{Source, has_word, split};

    #[track_caller]
    fn check(text: &str, code: &str, comments: &str) {
        let found = split(text);
        assert_eq!((found.0.trim_end(), found.1.trim()), (code, comments), "{text}");
    }

    #[test]
    fn comments_and_text_are_not_code() {
        check("a; // b", "a;", "// b");
        check("a /* b /* c */ d */ e", "a                   e", "/* b /* c */ d */");
        check(r#"f("// no", '"', b"x\"y") // yes"#, "f(       ,    ,        )", "// yes");
        check(r##"f(r#"a " b"#, br"c\")"##, "f(          ,       )", "");
        check("fn a<'a>(x: &'a str) {}", "fn a<'a>(x: &'a str) {}", "");
        check(r"m('\'', '{')", "m(    ,    )", "");
        check("let r#fn = var\"x\";", "let r#fn = var   ;", "");
        check("\"open", "", "");
    }

    #[test]
    fn functions_are_measured_in_lines_of_code() {
        let text = "fn a(\n    x: [u8; 2],\n) {\n    // why\n\n    b(\"}\");\n    c();\n}\nfn d();\n\
                    type F = fn(u8);\n#[cfg(test)]\nmod tests {\n    fn e() {}\n}\n";
        let source = Source::parse("src/a.rs", text);
        let found: Vec<_> =
            source.functions().into_iter().map(|f| (f.name, f.line, f.length)).collect();
        assert_eq!(found, [("a".to_owned(), 0, 2)]);
    }

    #[test]
    fn tests_are_told_by_their_gate_or_their_folder() {
        let gated = "a;\n#[cfg(test)]\nmod tests {\n    b;\n}\n#[cfg(not(test))]\nc;\n";
        let source = Source::parse("src/a.rs", gated);
        assert_eq!(source.test, [false, true, true, true, true, false, false]);
        assert_eq!(Source::parse("crates/x/tests/a.rs", "a;").test, [true]);
        let outside =
            "#[cfg(any(test, feature = \"testing\"))]\npub mod testing;\n#[cfg(test)]\nmod t;";
        assert_eq!(Source::parse("s/lib.rs", outside).test_modules(), ["s/testing", "s/t"]);
        assert_eq!(Source::parse("s/graph.rs", outside).test_modules()[1], "s/graph/t");
    }

    #[test]
    fn a_word_stands_alone() {
        assert!(has_word("std::env::var(x)", "env::var"));
        assert!(has_word("println!()", "println!"));
        assert!(!has_word("eprintln!()", "println!"));
        assert!(!has_word("env::variant", "env::var"));
    }
}
