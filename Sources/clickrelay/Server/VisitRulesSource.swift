internal import Domain
internal import SQLite
internal import Visitors

/// Where the rules come from that tell bots from visitors.
struct VisitRulesSource: Hashable, Sendable {
    /// The operator's list; nil: none.
    var listPath: String?
    var marks: Set<BotMark> = []

    /// A list of a million addresses has 16 MB.
    private static let bytesMax = 64 << 20

    /// Reads and checks the list.
    /// - Throws: what to change in which file.
    func load(_ log: Log) throws(VisitRulesError) -> VisitRules {
        guard let listPath else { return VisitRules(marks: marks) }
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try FileSystem.read(listPath, bytesMax: Self.bytesMax)
        } catch {
            throw VisitRulesError(text: error.description)
        }
        do throws(BotListError) {
            let list = try BotList(parsing: bytes)
            log.info(
                "bots_loaded",
                [
                    "file": .string(listPath), "networks": .integer(list.networkCount),
                    "agents": .integer(list.wordCount),
                ])
            return VisitRules(bots: list, marks: marks)
        } catch {
            throw VisitRulesError(text: "\(listPath), \(error.description)")
        }
    }
}

struct VisitRulesError: Error {
    let text: String
}
