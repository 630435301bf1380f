/// Text with text below it, drawn with lines:
///
///     postback 9
///     ├─ GET /postback/…
///     └─ conversion 12
struct Tree {
    var text: String
    var children: [Tree] = []

    init(_ text: String, _ children: [Tree] = []) {
        self.text = text
        self.children = children
    }

    var lines: [String] {
        [text]
            + children.enumerated().flatMap { index, child in
                let isLast = index == children.count - 1
                return child.lines.enumerated().map { number, line in
                    (number == 0 ? (isLast ? "└─ " : "├─ ") : (isLast ? "   " : "│  ")) + line
                }
            }
    }
}
