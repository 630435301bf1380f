/// A request's method. Methods compare with case (RFC 9110, 9.1), so `get` is `other`.
public enum Method: Sendable, Equatable {
    case get, head, post, put, patch, delete, options
    /// Any other well-formed token; `Request.methodBytes` has it.
    case other

    init(_ bytes: UnsafeRawBufferPointer) {
        func equals(_ name: StaticString) -> Bool { Scan.equals(bytes, name) }
        switch bytes.count {
        case 3: self = equals("GET") ? .get : equals("PUT") ? .put : .other
        case 4: self = equals("POST") ? .post : equals("HEAD") ? .head : .other
        case 5: self = equals("PATCH") ? .patch : .other
        case 6: self = equals("DELETE") ? .delete : .other
        case 7: self = equals("OPTIONS") ? .options : .other
        default: self = .other
        }
    }
}
