/// A value bound to or read from SQL that is not on a hot path.
///
/// There is no floating point: no number here is inexact.
public enum Value: Hashable, Sendable {
    case integer(Int64)
    case text(String)
    case blob([UInt8])
    case null

    public static func optional(_ value: Int64?) -> Value { value.map(Value.integer) ?? .null }
    public static func optional(_ value: String?) -> Value { value.map(Value.text) ?? .null }
    public static func optional(_ value: [UInt8]?) -> Value { value.map(Value.blob) ?? .null }
    public static func bool(_ value: Bool) -> Value { .integer(value ? 1 : 0) }
}

extension Value: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, ExpressibleByNilLiteral,
    ExpressibleByBooleanLiteral
{
    public init(integerLiteral value: Int64) { self = .integer(value) }
    public init(stringLiteral value: String) { self = .text(value) }
    public init(nilLiteral: ()) { self = .null }
    public init(booleanLiteral value: Bool) { self = .bool(value) }
}
