import Foundation

/// Takes a folder away from under a running store and puts it back.
enum FileMover {
    static func hide(_ path: String) throws {
        try FileManager.default.moveItem(atPath: path, toPath: path + ".hidden")
        try Data("in the way".utf8).write(to: URL(fileURLWithPath: path))
    }

    static func bringBack(_ path: String) throws {
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.moveItem(atPath: path + ".hidden", toPath: path)
    }
}
