import Glibc

// Compiled by Tests/fuzz only, beside the targets; libFuzzer brings `main`.

// Unsafe only in being a variable: it is set before the first input.
nonisolated(unsafe) private var target: FuzzTarget?

@_cdecl("LLVMFuzzerInitialize")
public func initialize(
    _ count: UnsafeMutablePointer<CInt>?,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>?>?
) -> CInt {
    let name = getenv("CLICKRELAY_FUZZ_TARGET").map { String(cString: $0) } ?? ""
    if name == "list" {
        for target in FuzzTarget.all { print(target.name) }
        exit(0)
    }
    target = FuzzTarget.all.first { $0.name == name }
    guard target != nil else {
        print("CLICKRELAY_FUZZ_TARGET names no target: \(name)")
        exit(2)
    }
    return 0
}

@_cdecl("LLVMFuzzerTestOneInput")
public func testOneInput(_ data: UnsafePointer<UInt8>?, _ size: Int) -> CInt {
    do {
        try target?.run(UnsafeRawBufferPointer(start: data, count: size))
    } catch {
        // Not by `print`, whose buffer an abort throws away.
        let line = "\(target?.name ?? ""): \(error)\n"
        _ = line.utf8.withContiguousStorageIfAvailable { write(2, $0.baseAddress, $0.count) }
        abort()
    }
    return 0
}
