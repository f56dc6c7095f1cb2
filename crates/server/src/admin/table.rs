//! Columns that line up.

use std::fmt;

/// Rows of cells under a header.
pub(crate) struct Table<const N: usize> {
    header: [&'static str; N],
    rows: Vec<[String; N]>,
}

impl<const N: usize> Table<N> {
    /// A table of these rows.
    pub(crate) fn of(
        header: [&'static str; N],
        rows: impl IntoIterator<Item = [String; N]>,
    ) -> Self {
        Self { header, rows: rows.into_iter().collect() }
    }
}

impl<const N: usize> fmt::Display for Table<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = self.header.map(str::to_owned);
        let lines = || std::iter::once(&header).chain(&self.rows);
        let width =
            |column: usize| lines().map(|cells| cells[column].chars().count()).max().unwrap_or(0);
        let widths: [usize; N] = std::array::from_fn(width);
        for cells in lines() {
            let padded = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
            let line = padded.collect::<Vec<_>>().join("  ");
            writeln!(f, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_and_lines_do_not_end_in_blanks() {
        let rows = [["7", "ä"], ["11", ""]].map(|row| row.map(str::to_owned));
        let text = Table::of(["N", "WHAT"], rows).to_string();
        assert_eq!(text, "N   WHAT\n7   ä\n11\n");
    }
}
