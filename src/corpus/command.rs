//! The shell command that shows the trouble of a row of the quarantine table.

use super::quarantine::Quarantined;

/// Bytes of context that stand before the offset at least, and how the offset is rounded: a row of `xxd`.
const ROW_BYTES: u64 = 16;

impl Quarantined {
    /// A command for a shell in the literal folder of the glob: the bytes around [`Quarantined::byte_offset`], of the unpacked
    /// contents where the file is compressed; else what kind of file it is, or how it lies in its folder.
    ///
    /// The name is quoted for bash, zsh, ksh and every other shell that knows `$'…'` (POSIX 2024). Bytes of a name that are not
    /// UTF-8 are not in the table: `*` stands for them.
    #[must_use]
    pub fn command(&self) -> String {
        let name = if self.source.is_empty() { ".".to_owned() } else { quoted(&self.source) };
        let Some(offset) = self.byte_offset else {
            let way = if is_about_the_entry(&self.code) { "ls -ld" } else { "file" };
            return format!("{way} -- {name}");
        };
        let from = (offset / ROW_BYTES * ROW_BYTES).saturating_sub(ROW_BYTES);
        match unpacker(&self.source) {
            Some(unpacker) => format!("{unpacker} -- {name} | xxd -s {from} -l 64"),
            None => format!("xxd -s {from} -l 64 -- {name}"),
        }
    }
}

fn unpacker(source: &str) -> Option<&'static str> {
    match std::path::Path::new(source).extension()?.to_str()? {
        "gz" => Some("zcat"),
        "zst" => Some("zstdcat"),
        _ => None,
    }
}

/// Whether the trouble lies in the folder's entry, not in what the file holds.
fn is_about_the_entry(code: &str) -> bool {
    matches!(
        code,
        "name_not_utf8"
            | "not_a_file"
            | "link_outside"
            | "link_to_folder"
            | "broken_link"
            | "unlisted_folder"
            | "unreadable"
            | "vanished"
            | "changed_while_read"
            | "too_large"
            | "repeated_id"
    )
}

/// `name` as one word of a shell's command line; printable, whatever stands in it.
fn quoted(name: &str) -> String {
    let parts: Vec<String> = name.split('\u{FFFD}').map(quoted_part).collect();
    parts.join("*")
}

fn quoted_part(part: &str) -> String {
    if part.is_empty() {
        return String::new();
    }
    if !part.chars().any(is_unprintable) {
        return format!("'{}'", part.replace('\'', r"'\''"));
    }
    let mut out = String::from("$'");
    for character in part.chars() {
        match character {
            '\'' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str(r"\n"),
            '\t' => out.push_str(r"\t"),
            // Three octal digits end by themselves, whatever follows.
            _ if is_unprintable(character) => {
                let mut bytes = [0; 4];
                out.extend(character.encode_utf8(&mut bytes).bytes().map(|byte| format!("\\{byte:03o}")));
            }
            _ => out.push(character),
        }
    }
    out + "'"
}

/// Control characters, and those that change the direction of what is shown after them.
fn is_unprintable(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStrExt;
    use std::process::Command;

    use super::super::quarantine::Unusable;

    fn row(source: &str, code: &'static str, offset: Option<usize>) -> String {
        let trouble = Unusable::new(code, "");
        offset.map_or(trouble.clone(), |offset| trouble.at(offset)).of(source).command()
    }

    #[test]
    fn the_command_shows_the_bytes_or_the_entry() {
        assert_eq!(row("a/b.txt", "not_text", Some(100)), "xxd -s 80 -l 64 -- 'a/b.txt'");
        assert_eq!(row("a.txt.gz", "not_text", Some(5)), "zcat -- 'a.txt.gz' | xxd -s 0 -l 64");
        assert_eq!(row("a.zst", "broken_compression", Some(4096)), "zstdcat -- 'a.zst' | xxd -s 4080 -l 64");
        assert_eq!(row("-x.ogg", "undecodable", None), "file -- '-x.ogg'");
        assert_eq!(row("it's", "broken_link", None), r"ls -ld -- 'it'\''s'");
        assert_eq!(row("", "unlisted_folder", None), "ls -ld -- .");
        assert_eq!(row("a\n\u{1b}1\u{202E}", "no_audio", None), r"file -- $'a\n\0331\342\200\256'");
    }

    #[test]
    fn a_shell_finds_the_file_whatever_its_name_is() {
        let folder = tempfile::tempdir().unwrap();
        let names: [&[u8]; 12] = [
            b"plain",
            b"-rf",
            b"two words",
            b"it's \"quoted\"",
            b"$(touch pwned)",
            b"`touch pwned`; touch pwned & | < >",
            b"new\nline\ttab\x1b[31m\x017",
            b"back\\slash\\n\n'",
            "r\u{202E}tl \u{300}e\u{301} \u{1F469}\u{200D}\u{1F4BB}".as_bytes(),
            b"<script>alert(1)</script>",
            b"star*[a-z]?{b,c}~",
            b"no\xFF\xFEutf8'\xE9",
        ];
        for (number, name) in names.iter().enumerate() {
            let place = folder.path().join(format!("{number}"));
            let path = place.join(std::ffi::OsStr::from_bytes(name));
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, format!("contents {number}")).unwrap();
            let source = String::from_utf8_lossy(name);
            let command = row(&source, "not_text", None).replacen("file --", "cat --", 1);
            let outcome = Command::new("bash").args(["-c", &command]).current_dir(&place).output().unwrap();
            assert_eq!(String::from_utf8_lossy(&outcome.stdout), format!("contents {number}"), "{command}");
            assert!(!command.contains('\n') && !place.join("pwned").exists(), "{command}");
        }
    }
}
