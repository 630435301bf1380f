internal import Glibc

/// A system call that failed: which one, and the kernel's reason.
public struct NetError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was attempted, in words an operator understands: "bind 127.0.0.1:8080".
    public let operation: String
    /// `errno` as the call left it.
    public let code: Int32

    public init(_ operation: String, code: Int32) {
        self.operation = operation
        self.code = code
    }

    /// Reads `errno`, so it must be made before any other call can change it.
    static func last(_ operation: String) -> NetError { NetError(operation, code: errno) }

    public var description: String { "\(operation): \(String(cString: strerror(code)))" }

    /// Whether an `errno` says that this process or machine has no descriptor or no memory left.
    public static func isShortage(_ code: Int32) -> Bool {
        [EMFILE, ENFILE, ENOBUFS, ENOMEM].contains(code)
    }
}
