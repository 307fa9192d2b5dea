//! Texts that are none, are damaged, or are what a parser does not expect.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::Folder;

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn joined(count: usize, piece: impl Fn(usize) -> String) -> String {
    (0..count).map(piece).collect()
}

/// Every encoding, right, wrong, cut off and without the mark that names it.
pub fn encodings(folder: &Folder) {
    let text = "Größe, naïve façade, 漢字 und \u{1F30A}; the rain over the hills. ".repeat(3);
    let little: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = text.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let wide: Vec<u8> = text.chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
    let latin: Vec<u8> = "Le café est très bon, déjà vu, été et forêt.".chars().map(|c| c as u8).collect();
    for (name, bytes) in [
        ("utf16le.txt", little.clone()),
        ("utf16be.txt", big.clone()),
        ("utf16le-mark.txt", [&[0xFF, 0xFE], &little[..]].concat()),
        ("utf16be-mark.txt", [&[0xFE, 0xFF], &big[..]].concat()),
        ("utf16-lone.txt", [0xFF, 0xFE, 0x00, 0xD8, 0x41, 0x00].to_vec()),
        ("utf32le.txt", wide.clone()),
        ("utf32le-mark.txt", [&[0xFF, 0xFE, 0, 0], &wide[..]].concat()),
        ("latin1.txt", latin),
        ("mark-only.txt", vec![0xEF, 0xBB, 0xBF]),
        ("half-mark.txt", vec![0xEF, 0xBB]),
        ("overlong.txt", [b"a\xC0\x80b\xE0\x80\xAFc\xF0\x80\x80\xAF", text.as_bytes()].concat()),
        ("surrogates.txt", [b"\xED\xA0\x80\xED\xBF\xBF", text.as_bytes()].concat()),
        ("beyond.txt", b"\xF4\x90\x80\x80\xF8\x88\x80\x80\x80\xFE\xFF".to_vec()),
        ("nul.txt", [text.as_bytes(), b"\0", text.as_bytes()].concat()),
        ("nuls.txt", vec![0; 100]),
        ("controls.txt", (1..32u8).cycle().take(1000).collect()),
        ("escapes.txt", b"\x1b[31mred\x1b[0m and \x07bell".to_vec()),
        ("high.txt", (128..=255u8).cycle().take(4096).collect()),
        ("all-bytes.txt", (0..=255u8).collect()),
        ("png.txt", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec()),
    ] {
        folder.put(name, bytes);
    }
    folder.damage("utf8.txt", text.as_bytes(), (0..40).chain([97, 98, 99]), 20);
    folder.damage("utf16.txt", &[&[0xFF, 0xFE], &little[..]].concat(), 0..20, 20);
}

/// Compressed files that break off, go on, lie, or hold one another.
pub fn compressed(folder: &Folder) {
    let text = "the rain over the hills and the wind ".repeat(30);
    let (gzipped, zipped) = (gz(text.as_bytes()), zstd::encode_all(text.as_bytes(), 3).unwrap());
    folder.damage("gzip.txt.gz", &gzipped, (0..gzipped.len()).step_by(7), 30);
    folder.damage("zstd.txt.zst", &zipped, (0..zipped.len()).step_by(7), 30);
    folder.put("twice.txt.gz", gz(&gzipped));
    folder.put("plain.txt.gz", &text);
    folder.put("zstd-called.gz", &zipped);
    folder.put("gzip-called-zstd.zst", &gzipped);
    folder.put("gzip-called-text.txt", &gzipped);
    folder.put("several.txt.gz", [&gzipped[..], &gzipped].concat());
    folder.put("garbage-behind.txt.gz", [&gzipped[..], b"garbage"].concat());
    folder.put("garbage-behind-zstd.txt.zst", [&zipped[..], b"garbage"].concat());
}

/// Markup as no person writes it.
pub fn markup(folder: &Folder) {
    const DEEP: usize = 100_000;
    let row = |cells: usize| format!("|{}\n", " x |".repeat(cells));
    let indented: String = joined(300, |level| format!("{}- x\n", "  ".repeat(level)));
    for (name, text) in [
        ("quotes.md", format!("{}x", "> ".repeat(DEEP))),
        ("quotes-twice.md", format!("{}x\n{}y", "> ".repeat(2000), "> ".repeat(2000))),
        ("lists.md", format!("{}x", "- ".repeat(DEEP))),
        ("numbers.md", format!("{}x", "1. ".repeat(DEEP))),
        ("indented.md", indented),
        ("brackets.md", "[".repeat(DEEP)),
        ("links.md", format!("{}x{}", "[".repeat(5000), "](y)".repeat(5000))),
        ("images.md", "![".repeat(20_000)),
        ("stars.md", "*a ".repeat(20_000)),
        ("underscores.md", format!("{}x{}", "_*".repeat(10_000), "*_".repeat(10_000))),
        ("ticks.md", (1..400).map(|n| "`".repeat(n) + " ").collect()),
        ("angles.md", "<".repeat(DEEP)),
        ("tags.md", "<a ".repeat(20_000)),
        ("comment.md", "<!--".repeat(20_000)),
        ("entities.md", "&#x110000;&#0;&#xD800;&nothing;".repeat(1000)),
        (
            "table.md",
            [row(5000), "|".to_owned() + &"---|".repeat(5000) + "\n", row(5000).repeat(20)].concat(),
        ),
        ("references.md", joined(5000, |n| format!("[a{n}]: <{n}\n"))),
        ("footnotes.md", joined(5000, |n| format!("[^{n}]: [^{n}]\n"))),
        ("metadata.md", "---\ntitle: x\nnever: closed\n".to_owned()),
        ("html.md", "<div>".repeat(DEEP)),
        ("markup.md", "<script>alert(1)</script> ".repeat(50)),
    ] {
        folder.put(name, text);
    }
}

/// Scripts and sequences that break rules of thumb, and ids and words that would be markup.
pub fn scripts(folder: &Folder) {
    let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}";
    for (name, text) in [
        ("zalgo.txt", format!("H{0}E{0} ", "\u{300}\u{489}\u{36F}".repeat(3000)).repeat(5)),
        ("marks.txt", "\u{301}".repeat(100_000)),
        ("right-to-left.txt", "\u{202E}שלום \u{2066}עולם\u{2069} مرحبا ".repeat(1000)),
        ("emoji.txt", family.repeat(5000)),
        ("flags.txt", "\u{1F1E6}\u{1F1E7}".repeat(20_000)),
        ("spaces.txt", " ".repeat(1 << 20)),
        ("lines.txt", "\n".repeat(1 << 20)),
        ("carriage.txt", "a\r".repeat(10_000)),
        ("separators.txt", "a\u{2028}b\u{2029}c\u{85}d\u{B}e\u{FEFF}f".repeat(1000)),
        ("private.txt", "\u{E000}\u{F0000}\u{10FFFF}\u{FDD0}\u{FFFE} ".repeat(1000)),
        ("digits.txt", "9".repeat(100_000)),
        ("csv.txt", "=cmd|'/c calc'!A0,\"\",\"\n".repeat(100)),
        ("hostile.txt", "<script>alert(1)</script> \"><img src=x onerror=alert(1)> </title> ]]> ".repeat(50)),
        ("<script>alert(1)</script>.txt", "<script>alert(1)</script> <b>x</b> ".repeat(50)),
        ("<script>alert(1)</script>.md", "the same id again".to_owned()),
        ("same.txt", "one".to_owned()),
        ("same.text", "two".to_owned()),
        ("same.txt.gz.txt", "three".to_owned()),
    ] {
        folder.put(name, text);
    }
}

/// Little on disk, gigabytes in memory.
pub fn bombs(folder: &Folder) {
    let zeros = vec![0; 1 << 20];
    let mut encoder =
        GzEncoder::new(std::fs::File::create(folder.at("zeros.txt.gz")).unwrap(), Compression::fast());
    (0..1024).for_each(|_| encoder.write_all(&zeros).unwrap());
    encoder.finish().unwrap();
    let mut encoder =
        zstd::Encoder::new(std::fs::File::create(folder.at("more-zeros.txt.zst")).unwrap(), 1).unwrap();
    (0..8192).for_each(|_| encoder.write_all(&zeros).unwrap());
    encoder.finish().unwrap();
    let inner = gz(&vec![b'a'; 32 << 20]);
    folder.put("nested.txt.gz", gz(&gz(&inner)));
    std::fs::File::create(folder.at("holes.txt")).unwrap().set_len(3 << 30).unwrap();
}

/// Lines, words and folders without an end.
pub fn endless(folder: &Folder) {
    folder.put("word.txt", vec![b'a'; 64 << 20]);
    folder.put("line.txt", "word and ".repeat(1 << 20));
    for n in 0..2000 {
        folder.put(format!("empty/{n:04}.txt"), "");
    }
    folder.put(format!("{}x.txt", "deep/".repeat(200)), "at the bottom");
}
