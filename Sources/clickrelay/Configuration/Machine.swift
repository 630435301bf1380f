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

    /// Raises what this process may have open, files and sockets, to the limit that it may raise it
    /// to: a login shell's 1024 are for programs that use select(2).
    ///
    /// - Returns: how many that are.
    static func raiseDescriptorLimit() -> Int {
        let kind = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        var limit = rlimit()
        guard getrlimit(kind, &limit) == 0 else { return .max }
        let before = limit.rlim_cur
        limit.rlim_cur = limit.rlim_max
        return Int(clamping: setrlimit(kind, &limit) == 0 ? limit.rlim_cur : before)
    }

    /// What this process may have of memory: by its own limit of addresses, by its control groups',
    /// and by what there is.
    static func memoryBytes() -> Int {
        let pages = sysconf(Int32(_SC_PHYS_PAGES)), page = sysconf(Int32(_SC_PAGESIZE))
        var limits = [pages > 0 && page > 0 ? pages.multipliedReportingOverflow(by: page).0 : .max]
        var addresses = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_AS.rawValue), &addresses) == 0 {
            limits.append(Int(clamping: addresses.rlim_cur))
        }
        // Not readable: no limit that we could know of.
        let groups = (try? FileSystem.read("/proc/self/cgroup")) ?? []
        for line in String(decoding: groups, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard parts.count == 3 else { continue }
            let (root, name): (String, String)
            if parts[1].isEmpty {
                (root, name) = ("/sys/fs/cgroup", "memory.max")
            } else if parts[1] == "memory" {
                (root, name) = ("/sys/fs/cgroup/memory", "memory.limit_in_bytes")
            } else {
                continue
            }
            // Its own group, and those that it is part of. In a container only the top one shows.
            var path = parts[2][...]
            while true {
                if let bytes = try? FileSystem.read("\(root)\(path == "/" ? "" : path)/\(name)"),
                    let limit = Int(
                        String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber })
                {
                    limits.append(limit)
                }
                guard let slash = path.lastIndex(of: "/"), path.count > 1 else { break }
                path = slash == path.startIndex ? "/" : path[..<slash]
            }
        }
        return limits.filter { $0 > 0 }.min() ?? .max
    }
}
