@testable import Domain
import Glibc

@testable import Visitors

extension FuzzTarget {
    /// A browser's headers: what is kept of them is short and printable.
    static let agent = FuzzTarget(name: "agent") { input in
        var fields = FuzzInput(input)
        let values = (0..<8).map { _ in fields.field() }
        var device = withBuffers(values) { buffers in
            var headers = AgentHeaders(userAgent: buffers[0])
            headers.brands = buffers[1]
            headers.mobile = buffers[2]
            headers.platform = buffers[3]
            headers.platformVersion = buffers[4]
            headers.model = buffers[5]
            headers.formFactors = buffers[6]
            headers.acceptLanguage = buffers[7]
            var marks = RequestMarks()
            marks.purpose = buffers[6]
            _ = marks.isPrefetch
            return DeviceReader.read(headers)
        }
        // Which is kept beside the rest.
        device.visit = Device().visit
        let packed = device.packed
        let again = packed.withUnsafeBytes { Device(packed: $0) }
        try require(again == device, "\(String(describing: again)) for \(device)")
        for child in Mirror(reflecting: device).children {
            guard let text = child.value as? String else { continue }
            try require(
                text.utf8.count <= 64
                    && text.unicodeScalars.allSatisfy { $0.value >= 32 && $0.value != 127 },
                "\(child.label ?? ""): \(text.debugDescription)")
        }
        _ = input.isEmpty ? nil : Device(packed: input)
        if let list = try? BotList(parsing: values[0]) {
            _ = list.names(agent: input)
            _ = list.contains(IPAddress(ipv4: 1))
        }
    }

    private static func withBuffers<Result>(
        _ values: [[UInt8]], _ body: ([UnsafeRawBufferPointer]) -> Result
    ) -> Result {
        // Copies of exactly their size: reading past one is seen.
        let copies = values.map { value in
            let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: value.count, alignment: 1)
            copy.copyBytes(from: value)
            return copy
        }
        defer { for copy in copies { copy.deallocate() } }
        return body(copies.map { UnsafeRawBufferPointer($0) })
    }

    /// Location files.
    static let mmdb = FuzzTarget(name: "mmdb") { input in
        var input = FuzzInput(input)
        var bits: UInt128 = 0
        for _ in 0..<16 { bits = bits << 8 | UInt128(input.byte()) }
        let bytes = input.remaining()
        guard !bytes.isEmpty else { return }
        let directory = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
        let copy = try PrivateCopy(bytes, in: directory)
        copy.unlink()
        defer { copy.close() }
        guard let file = try? MaxMindFile(try MappedFile(copy)) else { return }
        for address in [IPAddress(bits: bits), IPAddress(ipv4: UInt32(truncatingIfNeeded: bits))] {
            guard let position = file.record(of: address) else { continue }
            var facts = PlaceFacts()
            _ = facts.add(file.section, at: position)
            let place = facts.result
            if place == .unknown { continue }
            let packed = place.packed
            let again = packed.withUnsafeBytes { Place(packed: $0) }
            try require(again == place, "\(String(describing: again)) for \(place)")
        }
        _ = try? file.check()
    }

    /// What makers of location files send: gzip and tar.
    static let archive = FuzzTarget(name: "archive") { input in
        _ = try? GeoArchive.database(in: Array(input))
    }
}
