internal import Glibc
internal import SQLite

/// What the process finds out about where it runs.
enum Machine {
    /// The environment, from the kernel: C's `environ` is shared mutable state.
    static func environment() -> [String: String] {
        // Without /proc there are no variables to see; flags and files still work.
        guard let bytes = try? FileSystem.read("/proc/self/environ") else { return [:] }
        var variables: [String: String] = [:]
        for entry in bytes.split(separator: 0) {
            guard let equals = entry.firstIndex(of: UInt8(ascii: "=")) else { continue }
            let name = String(decoding: entry[..<equals], as: UTF8.self)
            variables[name] = String(decoding: entry[(equals + 1)...], as: UTF8.self)
        }
        return variables
    }

    /// How many cores this process may run on: fewer than the machine has under `taskset` or in a
    /// container with a CPU set.
    static func coreCount() -> Int {
        // Not readable: fall back to the machine's own number.
        if let bytes = try? FileSystem.read("/proc/self/status"),
            let line = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
                .first(where: { $0.hasPrefix("Cpus_allowed:") })
        {
            let count = line.dropFirst("Cpus_allowed:".count)
                .compactMap { $0.hexDigitValue?.nonzeroBitCount }.reduce(0, +)
            if count > 0 { return min(count, 256) }
        }
        return min(max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))), 256)
    }
}
