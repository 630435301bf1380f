internal import SQLite

/// A file that a command is told to read; `-` is stdin.
enum InputFile {
    static func bytes(_ path: String, mebibytesMax: Int) throws(CommandFailure) -> [UInt8] {
        if path == "-" {
            guard let bytes = Terminal.readInput(bytesMax: mebibytesMax << 20) else {
                throw CommandFailure(
                    .failed, "stdin can't be read, or is longer than \(mebibytesMax) MiB")
            }
            return bytes
        }
        do {
            return try FileSystem.read(path, bytesMax: mebibytesMax << 20)
        } catch {
            throw CommandFailure(.failed, error.description)
        }
    }
}
