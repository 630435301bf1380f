import Foundation
import Testing

/// The inputs that fuzzing has kept, and each of them cut and changed a little: what was mended
/// stays so, without libFuzzer. `sh Tests/fuzz` looks for new ones.
@Suite struct ReplayTests {
    private static let directory = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "Corpora")

    @Test(arguments: FuzzTarget.all.map(\.name))
    func `what fuzzing has kept still holds`(name: String) throws {
        let target = try #require(FuzzTarget.all.first { $0.name == name })
        let text = try String(
            contentsOf: Self.directory.appending(path: "\(name).txt"), encoding: .utf8)
        let inputs = text.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .filter { !$0.hasPrefix("#") }.map(Self.bytes)
        #expect(inputs.count >= 3)
        for (number, input) in inputs.enumerated() {
            run(target, input, "input \(number)")
            var state = UInt64(number) | 1
            for _ in 0..<2 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                var changed = input
                if changed.isEmpty { break }
                let index = Int(state >> 40) % changed.count
                switch state >> 38 & 3 {
                case 0: changed[index] = UInt8(truncatingIfNeeded: state >> 20)
                case 1: changed.removeSubrange(index...)
                case 2: changed.insert(UInt8(truncatingIfNeeded: state >> 20), at: index)
                default: changed += changed[index...]
                }
                run(target, changed, "input \(number), changed to \(changed)")
            }
        }
    }

    private func run(_ target: FuzzTarget, _ input: [UInt8], _ name: String) {
        do {
            try input.withUnsafeBytes { try target.run($0) }
        } catch {
            Issue.record("\(target.name), \(name): \(error)")
        }
    }

    /// `\xNN` is a byte, all else stands for itself.
    private static func bytes(_ line: Substring) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = Array(line.utf8)[...]
        while let first = rest.popFirst() {
            if first == UInt8(ascii: "\\"), rest.first == UInt8(ascii: "x") {
                let digits = String(decoding: rest.dropFirst().prefix(2), as: UTF8.self)
                bytes.append(UInt8(digits, radix: 16) ?? 0)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(first)
            }
        }
        return bytes
    }
}
