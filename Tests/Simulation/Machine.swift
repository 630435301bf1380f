import Domain
import SimulatedMachine

/// The simulated machine's clocks and the life of the process on it.
enum Machine {
    /// True time since the simulation began, whatever the clocks say.
    static var elapsed: UInt64 { machine_elapsed_nanos() }
    static var wall: Instant { Instant(micros: machine_wall_micros()) }
    static var isDead: Bool { machine_is_dead() != 0 }

    static func advance(seconds: Double) {
        machine_advance(UInt64(max(0, seconds) * 1e9))
    }

    static func setWall(_ instant: Instant) { machine_set_wall(instant.micros) }
}

/// What must hold does not, or the simulation itself is wrong.
struct Violation: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// What happened, for people; kept only where somebody wants to read it.
final class Trace {
    private(set) var lines: [String] = []
    private let isKept: Bool
    private let begin: Instant

    init(isKept: Bool) {
        self.isKept = isKept
        begin = Machine.wall
    }

    func note(_ line: @autoclosure () -> String) {
        guard isKept else { return }
        let tenths = Machine.elapsed / 100_000_000
        let time = "\(tenths / 10).\(tenths % 10) s"
        let padding = String(repeating: " ", count: max(0, 12 - time.count))
        lines.append("\(padding)\(time)  \(Machine.wall.rfc3339)  \(line())")
    }
}
