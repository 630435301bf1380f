internal import Glibc

/// Tells what happens between the parties, hop by hop, with the URLs as they are sent.
///
/// Each event is one write, so that events of several threads never mix.
struct DemoNarrator: Sendable {
    private let isColored: Bool

    init() { isColored = Terminal.isOutputTerminal && getenv("NO_COLOR") == nil }

    func title(_ text: String) { Terminal.out("\n\(bold(text))\n") }

    func step(_ number: Int, _ text: String) {
        Terminal.out("\n\(bold(" \(number)  \(Printable.text(text))"))\n")
    }

    func request(_ method: String, _ url: String) {
        Terminal.out("    → \(method) \(paint("36", Printable.text(url)))\n")
    }

    func answer(_ status: Int, _ text: String) {
        let color = (200...399).contains(status) ? "32" : "31"
        Terminal.out("    ← \(paint(color, "\(status)")) \(Printable.text(text))\n")
    }

    /// A hop that the demo did not drive: somebody tries the links.
    func live(_ who: String, _ method: String, _ url: String, _ outcome: String) {
        Terminal.out(
            "\n\(bold(who))\n    → \(method) \(paint("36", Printable.text(url)))\n"
                + "    ← \(Printable.text(outcome))\n")
    }

    func lines(_ text: String) { Terminal.out(text) }

    func hint(_ text: String, _ command: String) {
        Terminal.out("  \(paint("2", text))\n    \(command)\n")
    }

    private func bold(_ text: String) -> String { paint("1", text) }

    private func paint(_ code: String, _ text: String) -> String {
        isColored ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
