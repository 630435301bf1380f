import Domain
import TestSupport
import Testing

@testable import Admin

/// The API's own description, against what the API does.
@Suite struct OpenAPITests {
    private static let document = OpenAPIResource.document(version: "1.0")

    @Test func `every route is described, and nothing else`() {
        let routes = Set(Routes.all.map { "\($0.method) /\($0.pattern.joined(separator: "/"))" })
        let notes = RouteNotes.all.map { "\($0.method) /\($0.pattern.joined(separator: "/"))" }
        #expect(routes.subtracting(notes).isEmpty, "without a line in RouteNotes")
        #expect(Set(notes).subtracting(routes).isEmpty, "not in the route table")
        #expect(Set(notes).count == notes.count)
        var operations = 0
        for path in Self.document["paths"]?.objectValue ?? [] {
            operations += path.value.objectValue?.count ?? 0
        }
        #expect(operations == Routes.all.count)
    }

    @Test func `what it refers to is there`() {
        var references: Set<String> = []
        func collect(_ value: JSONValue) {
            for item in value.arrayValue ?? [] { collect(item) }
            for member in value.objectValue ?? [] {
                if member.name == "$ref" { references.insert(member.value.stringValue ?? "") }
                collect(member.value)
            }
        }
        collect(Self.document)
        #expect(references.count > 20)
        for reference in references {
            var place: JSONValue? = Self.document
            for part in reference.split(separator: "/").dropFirst() {
                place = place?[String(part)]
            }
            #expect(place != nil, "\(reference)")
        }
    }

    /// An unknown parameter's answer names those there are.
    @Test func `the parameters of lists are those that they take`() throws {
        let bench = try Bench()
        var compared = 0
        for note in RouteNotes.all
        where note.method == "GET" && note.openParts.isEmpty && !note.query.isEmpty {
            let answer = try bench.call("GET", note.path + "?zzz=1")
            let message =
                answer.json["errors"]?.arrayValue?
                .first { $0["field"] == "zzz" }?["message"]?.stringValue ?? ""
            let known = message.replacing("is not one of ", with: "").split(separator: ";")[0]
                .split(separator: ",").map { $0.filter { $0 != " " } }
            #expect(Set(known) == Set(note.query), "\(note.path)")
            compared += 1
        }
        #expect(compared > 15)
    }

    @Test func `schemas have the types and the names of what is shown`() throws {
        let schemas = try #require(Self.document["components"]?["schemas"])
        let source = try #require(schemas["Source"]?["properties"])
        #expect(source["key"] == ["type": "string"])
        #expect(source["external_id_param"] == ["type": ["string", "null"]])
        #expect(source["destinations"]?["items"]?["properties"]?["method"] == ["type": "string"])
        #expect(schemas["Campaign"]?["required"] == ["key", "source", "flow"])
        #expect(
            schemas["Offer"]?["properties"]?["payout"]?["properties"]?["amount"]
                == ["type": "string"])
        // A member without a type is one that no sample sets.
        for schema in schemas.objectValue ?? [] where schema.name != "Object" {
            for property in schema.value["properties"]?.objectValue ?? [] {
                let isTold = ["template"].contains(property.name) || property.value != [:]
                #expect(isTold, "\(schema.name).\(property.name) has no type")
            }
        }
    }

    @Test func `it is served`() throws {
        let answer = try Bench().call("GET", "/openapi.json")
        #expect(answer.status == 200)
        #expect(answer.json["openapi"] == "3.1.0")
        #expect(answer.json["info"]?["version"] == "0.0-test")
    }
}
