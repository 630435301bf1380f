import Foundation

/// Whether `Tests/run --sanitize` runs the tests: sanitizers keep memory and addresses for the state
/// of every byte, so that what bounds or measures the tracker's says nothing.
public let isSanitized = ["ASAN_OPTIONS", "TSAN_OPTIONS"].contains {
    ProcessInfo.processInfo.environment[$0] != nil
}
