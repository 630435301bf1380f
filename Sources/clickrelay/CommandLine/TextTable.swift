/// Rows of text in aligned columns.
enum TextTable {
    /// The last column is not padded. Cells must be printable already.
    ///
    /// - Parameter right: columns aligned to the right, for numbers.
    static func columns(_ rows: [[String]], indent: String = "", right: Set<Int> = []) -> String {
        let count = rows.map(\.count).max() ?? 0
        let widths = (0..<count).map { column in
            rows.map { $0.indices.contains(column) ? $0[column].count : 0 }.max() ?? 0
        }
        var text = ""
        for row in rows {
            var line = indent
            for (column, cell) in row.enumerated() {
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                line += right.contains(column) ? padding + cell : cell + padding
                line += "  "
            }
            while line.last == " " { line.removeLast() }
            text += line + "\n"
        }
        return text
    }

    /// A table of data from outside, escaped, with a heading.
    static func data(_ heading: [String], _ rows: [[String]], right: Set<Int> = []) -> String {
        columns([heading] + rows.map { $0.map(Printable.text) }, right: right)
    }
}
