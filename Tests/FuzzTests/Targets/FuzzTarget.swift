import Glibc

/// One kind of hostile bytes and what must hold for all of them, beyond that nothing traps.
///
/// `sh Tests/fuzz` has libFuzzer look for bytes for which it doesn't; the suite replays the kept
/// ones (`Corpora`).
struct FuzzTarget: Sendable {
    let name: String
    let run: @Sendable (UnsafeRawBufferPointer) throws -> Void

    /// libFuzzer tries millions of inputs, the suite some hundreds, at which it looks more closely.
    static let isSearching = getenv("CLICKRELAY_FUZZ_TARGET") != nil

    static let all: [FuzzTarget] = [
        .head, .server, .client, .chunks, .query, .json, .template, .amount, .agent, .mmdb,
        .archive, .csv, .document, .routing, .pattern, .postback, .value,
    ]
}

/// A property that does not hold.
struct FuzzFailure: Error, CustomStringConvertible {
    let description: String
}

func require(_ holds: Bool, _ message: @autoclosure () -> String) throws {
    if !holds { throw FuzzFailure(description: message()) }
}

/// Takes an input apart.
struct FuzzInput {
    private(set) var rest: UnsafeRawBufferPointer.SubSequence

    init(_ bytes: UnsafeRawBufferPointer) { rest = bytes[...] }

    /// 0 at the end.
    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// Up to the next zero, which is skipped, or the end.
    mutating func field() -> [UInt8] {
        let end = rest.firstIndex(of: 0) ?? rest.endIndex
        defer { rest = rest[min(rest.endIndex, end + 1)...] }
        return Array(rest[..<end])
    }

    mutating func text() -> String { String(decoding: field(), as: UTF8.self) }

    mutating func remaining() -> [UInt8] {
        defer { rest = rest[rest.endIndex...] }
        return Array(rest)
    }
}

/// Where an input is cut into pieces: chosen by its bytes, so that a failing one fails again.
struct FuzzSplits {
    private var state: UInt64

    init(_ seed: UInt8) { state = UInt64(seed) &* 0x9e37_79b9_7f4a_7c15 | 1 }

    /// - Parameter mostBytes: of a piece.
    mutating func pieces(_ bytes: [UInt8], of mostBytes: Int = 17) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var start = 0
        while start < bytes.count {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // Mostly small ones, some of one byte.
            let length = 1 + Int(state >> 33) % (state >> 62 == 0 ? 1 : mostBytes)
            let end = min(bytes.count, start + length)
            pieces.append(bytes[start..<end])
            start = end
        }
        return pieces
    }
}
