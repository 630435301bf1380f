import Foundation
import TestSupport

/// A file system of its own with a few megabytes, in memory, at a directory's `data`: seen by what
/// is started through it, and gone with its last reference.
///
/// Linux's mount namespaces: for root, and for others where the system lets them make a user
/// namespace.
final class SmallDisk {
    let directory: TemporaryDirectory
    /// Keeps the namespace while no server runs in it.
    private let keeper: BackgroundCommand
    /// `TrackerProcess.Options.starter`.
    let starter: [String]

    /// Why a test that needs one can't run here; nil where it can.
    static let unavailable: String? = {
        do {
            _ = try SmallDisk(megabytes: 1)
            return nil
        } catch {
            return "no file system can be mounted here: \(error)"
        }
    }()

    init(megabytes: Int) throws {
        directory = try TemporaryDirectory()
        let data = directory.file("data")
        try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: false)
        let asOther = getuid() == 0 ? [] : ["--user", "--map-root-user"]
        keeper = try BackgroundCommand(
            tool: "/usr/bin/unshare",
            asOther + [
                "--mount", "/bin/sh", "-ec",
                "mount -t tmpfs -o size=\(megabytes)m none \"$0\"; echo mounted; exec sleep 600",
                data,
            ])
        try eventually(within: 10, "a mounted disk") { [keeper] in
            if keeper.hasExited { throw TestFailure(keeper.errorText) }
            return keeper.outputText.contains("mounted")
        }
        starter =
            ["/usr/bin/nsenter", "--target", "\(keeper.pid)", "--mount"]
            + (getuid() == 0 ? [] : ["--user", "--preserve-credentials"]) + ["--"]
    }

    /// Runs a shell script there, with the disk's directory as `$0`.
    @discardableResult
    func run(_ script: String) throws -> CommandResult {
        let all = starter + ["/bin/sh", "-c", script, directory.file("data")]
        return try runTool(all[0], Array(all.dropFirst()))
    }

    /// Leaves no room on it.
    func fill() throws {
        // It ends with an error: that the disk is full.
        try run("head -c 100000000 /dev/zero > \"$0\"/filler; cat /dev/zero >> \"$0\"/filler")
    }

    func free() throws {
        guard try run("rm \"$0\"/filler").exitCode == 0 else { throw TestFailure("rm filler") }
    }
}
