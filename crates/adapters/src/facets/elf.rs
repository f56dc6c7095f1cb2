//! Reads of an ELF file what facets need: its dynamic symbols, and the bytes that say nothing about its code.

use std::ops::Range;

use object::elf::{self, FileHeader32, FileHeader64};
use object::read::elf::{Dyn, FileHeader, ProgramHeader, SectionHeader, Sym, VersionTable};
use object::{Endianness, FileKind};

/// What facets need of an ELF file.
#[derive(Debug, Default)]
pub(crate) struct Elf {
    /// Whether other programs link with it or load it.
    pub(crate) is_library: bool,
    /// Its SONAME.
    pub(crate) soname: Option<String>,
    /// A line for each symbol it defines; none if it has no table of them that can be found.
    pub(crate) symbols: Option<Vec<String>>,
    /// Where the bytes are that differ between two builds of the same code.
    pub(crate) noise: Vec<Range<usize>>,
}

/// Sections that name a build, with the type and the largest size they may have.
/// A section that only borrows such a name and is larger counts as code.
const NOISE: [(&[u8], u32, usize); 3] = [
    (b".note.gnu.build-id", elf::SHT_NOTE, 128),
    (b".gnu_debuglink", elf::SHT_PROGBITS, 1024),
    (b".note.package", elf::SHT_NOTE, 4096),
];

/// Whether the file says it is ELF.
pub(crate) fn is_elf(data: &[u8]) -> bool {
    data.starts_with(&elf::ELFMAG)
}

/// Whether the header of the file says it is a shared object, though nothing else may be readable.
pub(crate) fn claims_shared_object(data: &[u8]) -> bool {
    let kind = data.get(16..18);
    is_elf(data) && (kind == Some(&[3, 0]) || kind == Some(&[0, 3]))
}

/// Reads an ELF file of either class and byte order.
pub(crate) fn read(data: &[u8]) -> Result<Elf, object::Error> {
    match FileKind::parse(data)? {
        FileKind::Elf64 => read_as::<FileHeader64<Endianness>>(data),
        _ => read_as::<FileHeader32<Endianness>>(data),
    }
}

fn read_as<H: FileHeader<Endian = Endianness>>(data: &[u8]) -> Result<Elf, object::Error> {
    let header = H::parse(data)?;
    let endian = header.endian()?;
    let sections = header.sections(endian, data)?;
    let mut found = Elf::default();
    for section in sections.iter() {
        let name = sections.section_name(endian, section)?;
        found.noise.extend(noise(name, section, endian));
    }
    if header.e_type(endian) != elf::ET_DYN {
        return Ok(found);
    }
    if let Some((entries, link)) = sections.dynamic(endian, data)? {
        let strings = sections.strings(endian, data, link)?;
        let soname = entries.iter().find(|entry| entry.tag32(endian) == Some(elf::DT_SONAME));
        let soname = soname.map(|entry| entry.string(endian, strings)).transpose()?;
        found.soname = soname.map(text);
    }
    // A position-independent program is a shared object that names its interpreter.
    let segments = header.program_headers(endian, data)?;
    let is_program = segments.iter().any(|segment| segment.p_type(endian) == elf::PT_INTERP);
    found.is_library = found.soname.is_some() || !is_program;
    let table = sections.symbols(endian, data, elf::SHT_DYNSYM)?;
    if found.is_library && !table.is_empty() {
        let versions = sections.versions(endian, data)?;
        let mut lines = Vec::new();
        for (index, symbol) in table.enumerate() {
            let Some(kind) = kind(symbol, endian) else { continue };
            let name = text(symbol.name(endian, table.strings())?);
            let version = version(versions.as_ref(), index, endian)?;
            lines.push(format!("{name}{version} {kind}"));
        }
        found.symbols = Some(lines);
    }
    Ok(found)
}

fn noise<S>(name: &[u8], section: &S, endian: Endianness) -> Option<Range<usize>>
where
    S: SectionHeader<Endian = Endianness>,
{
    let (_, kind, largest) = NOISE.into_iter().find(|(noise, _, _)| *noise == name)?;
    let (start, length) = section.file_range(endian)?;
    let (start, length) = (usize::try_from(start).ok()?, usize::try_from(length).ok()?);
    let fits = section.sh_type(endian) == kind && length <= largest;
    fits.then_some(start..start.checked_add(length)?)
}

/// Type, binding and, for data, size of a symbol that others can use; a program that copies data depends on the size.
fn kind<S: Sym<Endian = Endianness>>(symbol: &S, endian: Endianness) -> Option<String> {
    let binding = match symbol.st_bind() {
        elf::STB_GLOBAL => "GLOBAL",
        elf::STB_WEAK => "WEAK",
        elf::STB_GNU_UNIQUE => "UNIQUE",
        _ => return None,
    };
    if symbol.is_undefined(endian) {
        return None;
    }
    let size: u64 = symbol.st_size(endian).into();
    Some(match symbol.st_type() {
        elf::STT_OBJECT => format!("OBJECT {binding} {size}"),
        elf::STT_TLS => format!("TLS {binding} {size}"),
        elf::STT_COMMON => format!("COMMON {binding} {size}"),
        elf::STT_FUNC => format!("FUNC {binding}"),
        elf::STT_GNU_IFUNC => format!("IFUNC {binding}"),
        elf::STT_NOTYPE => format!("NOTYPE {binding}"),
        other => format!("TYPE{other} {binding}"),
    })
}

/// `@@VERSION` of a default version, `@VERSION` of one that only programs linked earlier use.
fn version<H: FileHeader<Endian = Endianness>>(
    versions: Option<&VersionTable<'_, H>>,
    index: object::SymbolIndex,
    endian: Endianness,
) -> Result<String, object::Error> {
    let Some(versions) = versions else { return Ok(String::new()) };
    let at = versions.version_index(endian, index);
    let Some(version) = versions.version(at)? else { return Ok(String::new()) };
    let mark = if at.is_hidden() { "@" } else { "@@" };
    Ok(format!("{mark}{}", text(version.name())))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    /// A small library with a version script, as gcc makes it.
    fn library() -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let write =
            |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write(
            "a.c",
            "int data[3] = {1}; int f(void) { return 1; } __thread int t = 1; static int s(void) { return 2; } \
                      __attribute__((weak)) int w(void) { return s(); } int outside(void); int g(void) { return outside(); }",
        );
        write("a.map", "A_1 { global: data; f; g; }; A_2 { global: w; t; } A_1;");
        let arguments = "-O2 -fPIC -shared -nostdlib -Wl,--build-id -Wl,-soname,liba.so.7 -Wl,--version-script=a.map -o a.so a.c";
        let mut gcc = Command::new("gcc");
        assert!(
            gcc.args(arguments.split(' ')).current_dir(folder.path()).status().unwrap().success()
        );
        std::fs::read(folder.path().join("a.so")).unwrap()
    }

    #[test]
    fn symbols_are_read_as_readelf_shows_them() {
        let library = library();
        let found = read(&library).unwrap();
        assert!(found.is_library);
        assert_eq!(found.soname.as_deref(), Some("liba.so.7"));
        let mut symbols = found.symbols.unwrap();
        symbols.sort();
        let expected = [
            "A_1@@A_1 OBJECT GLOBAL 0",
            "A_2@@A_2 OBJECT GLOBAL 0",
            "data@@A_1 OBJECT GLOBAL 12",
            "f@@A_1 FUNC GLOBAL",
            "g@@A_1 FUNC GLOBAL",
            "t@@A_2 TLS GLOBAL 4",
            "w@@A_2 FUNC WEAK",
        ];
        assert_eq!(symbols, expected);
        assert_eq!(found.noise.len(), 1, "the build-id");
    }

    #[test]
    fn lies_are_errors_or_answers_but_never_panics() {
        let library = library();
        let mut state = 11_u64;
        let mut errors = 0;
        for round in 0..20_000_usize {
            let mut bytes = library.clone();
            for _ in 0..=round % 4 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                // Mostly the headers at both ends: what they claim decides where everything else is looked for.
                let near = (state >> 40) as usize % 1024;
                let at = if round % 2 == 0 { near } else { bytes.len() - 1 - near };
                bytes[at] = (state >> 32) as u8;
            }
            if round % 8 == 0 {
                bytes.truncate((state >> 20) as usize % library.len());
            }
            errors += usize::from(read(&bytes).is_err());
        }
        assert!(errors > 1_000, "only {errors} of the lies were noticed");
    }
}
