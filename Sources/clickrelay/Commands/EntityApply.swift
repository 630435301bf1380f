internal import Domain

/// `apply FILE`: each object of a file is made, or replaces the one with its key.
enum EntityApply {
    enum Result: String {
        case created, updated, unchanged
    }

    private static let mebibytesMax = 64

    static func run(_ invocation: Invocation, _ kind: EntityKind) throws(CommandFailure)
        -> ExitCode
    {
        let entities = try entities(invocation.operands[0])
        let api = try invocation.api(mayCreate: true)
        var results: [JSONValue] = []
        var failures: [CommandFailure] = []
        for (index, entity) in entities.enumerated() {
            let key = (entity["key"] ?? kind.defaultKey(entity))?.stringValue ?? ""
            let name =
                key.isEmpty ? "\(kind.rawValue) \(index + 1)" : "\(kind.rawValue) \"\(key)\""
            do throws(CommandFailure) {
                guard !key.isEmpty else { throw CommandFailure(.refused, "key: is required") }
                let result = try apply(entity, key: key, kind, api).result
                results.append(["key": .string(key), "result": .string(result.rawValue)])
                if !invocation.wantsJSON {
                    Terminal.line("\(result.rawValue) \(Printable.text(key))")
                }
            } catch {
                failures.append(
                    CommandFailure(error.code, "\(Printable.text(name)): \(error.message)"))
                // Nobody is there: the rest would fail the same way, each after its own time-out.
                if error.code == .tryAgain { break }
            }
        }
        if invocation.wantsJSON, !results.isEmpty {
            Terminal.line(JSONValue.array(results).encoded(pretty: true))
        }
        guard let first = failures.first else { return .done }
        throw CommandFailure(
            results.isEmpty ? first.code : .partlyDone,
            failures.map(\.message).joined(separator: "\n"))
    }

    /// - Parameter merges: whether what is there is changed by `entity`, not replaced.
    static func apply(
        _ entity: JSONValue, key: String, _ kind: EntityKind, _ api: API,
        merging merges: (JSONValue) -> Bool = { _ in false }
    ) throws(CommandFailure) -> (result: Result, entity: JSONValue) {
        let path = "\(kind.path)/\(API.encoded(key))"
        let before = try api.find(path)
        // An archived one is brought back, which only PUT does.
        let isMerged = before.map { $0["archived_at"]?.stringValue == nil && merges($0) } ?? false
        let after = try api.call(isMerged ? "PATCH" : "PUT", path, body: entity)
        guard let before else { return (.created, after) }
        // Of a secret, which is not shown, only the time of the last change tells that it's another.
        return (before == after ? .unchanged : .updated, after)
    }

    // MARK: Reading the file

    static func document(_ path: String) throws(CommandFailure) -> JSONValue {
        do {
            return try JSONValue(parsing: try InputFile.bytes(path, mebibytesMax: mebibytesMax))
        } catch let error as JSONError {
            throw CommandFailure(.refused, "\(Printable.text(path)) is not JSON: \(error)")
        } catch {
            throw error as? CommandFailure ?? CommandFailure(.failed, "\(error)")
        }
    }

    private static func entities(_ path: String) throws(CommandFailure) -> [JSONValue] {
        let json = try document(path)
        let list = json.arrayValue ?? json["items"]?.arrayValue ?? [json]
        guard list.allSatisfy({ $0.objectValue != nil }) else {
            throw CommandFailure(
                .refused, "\(Printable.text(path)) must hold one JSON object or an array of them")
        }
        guard !list.isEmpty else {
            throw CommandFailure(.refused, "\(Printable.text(path)) holds nothing to apply")
        }
        return list
    }

}
