//! Names that no person gives, links that lead nowhere, and entries of a folder that are no files.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::process::Command;

use super::Folder;

/// Puts entries of every kind into the folder, named `extension` where they have a name of ours; the socket lives with what is
/// returned.
pub fn strange(folder: &Folder, extension: &str) -> UnixListener {
    let named = |name: &str| folder.at(format!("{name}{extension}"));
    for name in [
        "new\nline",
        "tab\tand return\r",
        "'single' \"double\" `back`",
        "$(touch pwned); rm -rf *",
        "-rf",
        "--help",
        "back\\slash\\n",
        "<img src=x onerror=alert(1)>",
        "&amp;",
        "{a,b}[c]*?~",
        "\u{202E}gnp.exe",
        "e\u{301}",
        "\u{e9}",
        "\u{1b}[31m",
        " ",
        ".hidden",
        "trailing.",
    ] {
        folder.put(named(name), "some words");
    }
    folder.put(named(&"long".repeat(62)), "some words");
    folder.put(folder.at("no extension"), "some words");
    for name in [&b"latin\xE9"[..], b"\xFF\xFE", b"half\xE6\xBC", b"\x80/inside"] {
        let name = [name, extension.as_bytes()].concat();
        folder.put(OsStr::from_bytes(&name), "some words");
    }
    links(folder, extension);
    for (name, kind) in [("device", ["c", "1", "5"]), ("full", ["c", "1", "7"]), ("block", ["b", "7", "250"])]
    {
        // Only root may make devices; the links to them are there in any case.
        let _ = Command::new("mknod").arg(named(name)).args(kind).output();
    }
    assert!(Command::new("mkfifo").arg(named("pipe")).status().unwrap().success());
    for (name, mode) in [("unreadable", 0o000), ("write-only", 0o200)] {
        folder.put(named(name), "some words");
        std::fs::set_permissions(named(name), std::fs::Permissions::from_mode(mode)).unwrap();
    }
    // Root lists every folder and reads every file: for root these are files as all others.
    folder.put(format!("locked/x{extension}"), "some words");
    std::fs::set_permissions(folder.at("locked"), std::fs::Permissions::from_mode(0o000)).unwrap();
    // The path of a socket may have 108 bytes.
    UnixListener::bind(named("socket")).unwrap()
}

/// So that the folder can be removed by whoever made it.
pub fn restore(folder: &Folder) {
    std::fs::set_permissions(folder.at("locked"), std::fs::Permissions::from_mode(0o700)).unwrap();
}

fn links(folder: &Folder, extension: &str) {
    let named = |name: &str| folder.at(format!("{name}{extension}"));
    folder.put(named("target"), "some words");
    for (name, target) in [
        ("to-target", format!("target{extension}")),
        ("to-link", format!("to-target{extension}")),
        ("self", format!("self{extension}")),
        ("circle-a", format!("circle-b{extension}")),
        ("circle-b", format!("circle-a{extension}")),
        ("dangling", "nowhere".to_owned()),
        ("empty-target", " ".to_owned()),
        ("outside", "../secret.txt".to_owned()),
        ("absolute", "/etc/passwd".to_owned()),
        ("zero", "/dev/zero".to_owned()),
        ("full-link", "/dev/full".to_owned()),
        ("stdin", "/dev/stdin".to_owned()),
        ("memory", "/proc/self/mem".to_owned()),
        ("to-pipe", format!("pipe{extension}")),
        ("up", "..".to_owned()),
        ("here", ".".to_owned()),
        ("root", "/".to_owned()),
    ] {
        symlink(target, named(name)).unwrap();
    }
}
