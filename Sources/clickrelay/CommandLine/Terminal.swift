internal import Glibc

/// The process's two output streams: stdout is data, stderr is talk.
enum Terminal {
    /// Writes data to stdout. A reader that went away ends the process by SIGPIPE, as in any
    /// pipeline; a full disk ends it with exit code 1, because data that is cut short and called
    /// done would mislead a script.
    static func out(_ text: String) {
        guard !write(Array(text.utf8), to: STDOUT_FILENO) else { return }
        talk("clickrelay: cannot write to stdout: \(String(cString: strerror(errno)))")
        exit(ExitCode.failed.rawValue)
    }

    static func line(_ text: String = "") { out(text + "\n") }

    /// Writes a line for people to stderr.
    static func talk(_ text: String) {
        // With stderr gone there is nobody left to tell.
        _ = write(Array((text + "\n").utf8), to: STDERR_FILENO)
    }

    /// One `write` where the kernel takes it whole, as it does for a line into a file or a pipe.
    static func write(_ bytes: [UInt8], to descriptor: Int32) -> Bool {
        bytes.withUnsafeBytes { buffer in
            var rest = buffer[...]
            while !rest.isEmpty {
                let count = Glibc.write(
                    descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count >= 0 {
                    rest = rest.dropFirst(count)
                } else if errno == EAGAIN {
                    // Whoever shares the descriptor made it non-blocking; wait until it takes more.
                    var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    poll(&waiting, 1, -1)
                } else if errno != EINTR {
                    return false
                }
            }
            return true
        }
    }

    /// Writes a text of at most 4,096 bytes if that can be done without waiting longer; a terminal
    /// that has room for a part of it only is waited for none the less.
    ///
    /// - Returns: false when the text was not taken now. With nobody left to tell it counts as taken.
    static func offer(
        _ text: String, to descriptor: Int32, waitingMilliseconds: Int32 = 0
    ) -> Bool {
        var waiting = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        // A pipe is writable while a page of it is free, a socket while most of it is.
        guard poll(&waiting, 1, waitingMilliseconds) > 0 else { return false }
        let bytes = Array(text.utf8)
        while true {
            let count = Glibc.write(descriptor, bytes, bytes.count)
            // Whoever shares the descriptor may have made it non-blocking: then a pipe that another
            // writer has filled takes nothing, and a terminal a part, whose rest is dropped.
            if count >= 0 { return true }
            if errno != EINTR { return errno != EAGAIN }
        }
    }

    static var isOutputTerminal: Bool { isatty(STDOUT_FILENO) == 1 }
    static var isErrorTerminal: Bool { isatty(STDERR_FILENO) == 1 }

    /// Replaces the line that the cursor is on, for progress; nothing where nobody watches.
    static func progress(_ text: String) {
        guard isErrorTerminal else { return }
        _ = write(Array("\r\u{1b}[K\(text)".utf8), to: STDERR_FILENO)
    }

    static func endProgress() { progress("") }

    /// All of stdin, as far as `bytesMax`; nil if there is more or it can't be read.
    static func readInput(bytesMax: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let count = read(STDIN_FILENO, &chunk, chunk.count)
            if count == 0 { return bytes }
            if count < 0 {
                if errno == EINTR { continue }
                return nil
            }
            guard bytes.count + count <= bytesMax else { return nil }
            bytes.append(contentsOf: chunk[..<count])
        }
    }
}

/// Text from outside that is about to be shown: control characters are escaped, so that a stored
/// user agent can neither break a line nor command somebody's terminal.
enum Printable {
    static func text(_ text: some StringProtocol) -> String {
        guard text.unicodeScalars.contains(where: mustEscape) else { return String(text) }
        var result = ""
        for scalar in text.unicodeScalars { append(scalar, to: &result) }
        return result
    }

    static func append(_ scalar: Unicode.Scalar, to text: inout String) {
        switch scalar {
        case "\n": text += "\\n"
        case "\r": text += "\\r"
        case "\t": text += "\\t"
        case _ where mustEscape(scalar): text += "\\u{\(String(scalar.value, radix: 16))}"
        default: text.unicodeScalars.append(scalar)
        }
    }

    /// C0 and C1 controls, and the marks that change the direction or the separation of text.
    static func mustEscape(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x7f..<0xa0, 0x061c, 0x200e, 0x200f, 0x2028...0x202e, 0x2066...0x2069,
            0xfeff:
            true
        default: false
        }
    }
}
