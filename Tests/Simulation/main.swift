import Foundation
import Glibc

// See `sh Tests/simulate --help`.

do {
    exit(try Command(Array(CommandLine.arguments.dropFirst())).run())
} catch {
    FileHandle.standardError.write(Data("simulation: \(error)\n".utf8))
    exit(2)
}
