import Foundation

/// Headless Chromium, as Debian packages it, with a profile of its own; it ends with the last
/// reference to it.
public final class Browser {
    private let profile: TemporaryDirectory
    private let process: ChildProcess

    private static let path = "/usr/bin/chromium"

    public static let userAgent =
        "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
        + "Chrome/140.0.0.0 Safari/537.36"

    public static var isInstalled: Bool { FileManager.default.isExecutableFile(atPath: path) }

    /// - Parameter trustsAnyone: takes certificates of the test's own authority.
    public init(opening url: String, trustsAnyone: Bool = false) throws {
        profile = try TemporaryDirectory()
        var arguments = [
            "--headless=new", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            // A container's /dev/shm may be too small for it.
            "--disable-dev-shm-usage", "--user-data-dir=\(profile.path)",
        ]
        // A headless one says so, and would be taken for the robot that it is.
        arguments.append("--user-agent=\(Self.userAgent)")
        // Its sandbox needs a user that is not root, or rights that containers don't give; it
        // opens pages of this test only.
        arguments.append("--no-sandbox")
        if trustsAnyone { arguments.append("--ignore-certificate-errors") }
        process = try ChildProcess(Self.path, arguments + [url])
    }

    deinit {
        // Politely, so that its helpers end too and leave the profile alone; one that doesn't is
        // killed when `process` goes.
        process.kill(SIGTERM)
        _ = try? process.wait(within: 10)
    }
}
