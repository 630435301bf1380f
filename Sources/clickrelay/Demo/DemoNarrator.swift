internal import Glibc
internal import Synchronization

/// Tells what happens between the parties, hop by hop, with the URLs as they are sent.
///
/// Each event is one write, so that events of several threads never mix.
struct DemoNarrator: Sendable {
    private let isColored: Bool

    init() { isColored = Terminal.isOutputTerminal && getenv("NO_COLOR") == nil }

    func title(_ text: String) { tell("\n\(bold(text))\n") }

    func step(_ number: Int, _ text: String) {
        tell("\n\(bold(" \(number)  \(Printable.text(text))"))\n")
    }

    func request(_ method: String, _ url: String) {
        tell("    → \(method) \(paint("36", Printable.text(url)))\n")
    }

    func answer(_ status: Int, _ text: String) {
        let color = (200...399).contains(status) ? "32" : "31"
        tell("    ← \(paint(color, "\(status)")) \(Printable.text(text))\n")
    }

    /// A hop that the demo did not drive: somebody tries the links.
    func live(_ who: String, _ method: String, _ url: String, _ outcome: String) {
        tell(
            "\n\(bold(who))\n    → \(method) \(paint("36", Printable.text(url)))\n"
                + "    ← \(Printable.text(outcome))\n")
    }

    func lines(_ text: String) { tell(text) }

    func hint(_ text: String, _ command: String) {
        tell("  \(paint("2", text))\n    \(command)\n")
    }

    /// With nobody to tell any more (`demo | head`), the demo stops in order. It asks for that
    /// once: a second request would end it without cleaning up.
    private func tell(_ text: String) {
        guard !Self.isAlone.load(ordering: .relaxed) else { return }
        if !Terminal.write(Array(text.utf8), to: STDOUT_FILENO),
            !Self.isAlone.exchange(true, ordering: .relaxed)
        {
            Signals.requestStop()
        }
    }

    private static let isAlone = Atomic<Bool>(false)

    private func bold(_ text: String) -> String { paint("1", text) }

    private func paint(_ code: String, _ text: String) -> String {
        isColored ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
    }
}
