public import Domain

/// A device as it was read, and as it is kept.
public final class ReadDevice: Sendable {
    public let device: Device
    /// See `Device.packed`.
    public let packed: [UInt8]

    /// Of who has told nothing.
    public static let nothing = ReadDevice(.unknown)

    public init(_ device: Device) {
        self.device = device
        packed = device.packed
    }
}

/// Remembers what agents were read as: a campaign's visitors share a few thousand of them, and a
/// look is a tenth of a reading. One for each event loop.
///
/// Who sends ever new agents makes it useless, not larger: each has eight places that it may lie in,
/// and one that lies there has to go.
public final class DeviceCache {
    /// With agents of 200 bytes, two MiB for each loop.
    private static let placesMax = 4096
    /// With one place for each, of a thousand agents six hundred would drive each other out.
    private static let ways = 8
    /// Longer ones are read each time.
    private static let bytesMax = 1024

    private struct Place {
        var hash: UInt64 = 0
        var bytes: [UInt8] = []
        var device: ReadDevice?
    }

    // Unchecked, as each click looks: nothing is called while it changes.
    @exclusivity(unchecked) private var places = [Place](repeating: Place(), count: placesMax)
    private var turn = 0

    public init() {}

    public func device(of headers: AgentHeaders) -> ReadDevice {
        let all = headers.all
        var count = 0
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for index in all.indices where !all[index].isEmpty {
            count += all[index].count
            hash = Self.mix(hash ^ UInt64(index), all[index])
        }
        guard count <= Self.bytesMax else { return ReadDevice(DeviceReader.read(headers)) }
        let first = Int(truncatingIfNeeded: hash ^ hash >> 32) & (Self.placesMax - Self.ways)
        for slot in first..<(first + Self.ways) where places[slot].hash == hash {
            if let device = places[slot].device, Self.isSame(places[slot].bytes, all) {
                return device
            }
        }
        let device = ReadDevice(DeviceReader.read(headers))
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count + all.count)
        for index in all.indices where !all[index].isEmpty {
            bytes.append(Self.mark(of: index))
            bytes.append(contentsOf: all[index])
        }
        turn &+= 1
        let free = (first..<(first + Self.ways)).first { places[$0].device == nil }
        places[free ?? first + turn & (Self.ways - 1)] = Place(
            hash: hash, bytes: bytes, device: device)
        return device
    }

    /// Stands before a header's bytes: none of them may hold such a control character, so no two
    /// requests that differ look alike.
    private static func mark(of index: Int) -> UInt8 { UInt8(truncatingIfNeeded: index) }

    /// FNV-1a by eight bytes; whoever makes two collide gains nothing, the bytes are compared.
    private static func mix(_ hash: UInt64, _ bytes: UnsafeRawBufferPointer) -> UInt64 {
        var hash = (hash ^ UInt64(truncatingIfNeeded: bytes.count)) &* 0x100_0000_01b3
        var index = 0
        while index + 8 <= bytes.count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            hash = (hash ^ word) &* 0x100_0000_01b3
            hash ^= hash >> 29
            index += 8
        }
        while index < bytes.count {
            hash = (hash ^ UInt64(bytes[index])) &* 0x100_0000_01b3
            index += 1
        }
        return hash
    }

    private static func isSame(
        _ bytes: [UInt8], _ all: InlineArray<8, UnsafeRawBufferPointer>
    ) -> Bool {
        bytes.withUnsafeBytes { bytes in
            var start = 0
            for index in all.indices where !all[index].isEmpty {
                let end = start + 1 + all[index].count
                guard end <= bytes.count, bytes[start] == mark(of: index),
                    ByteScan.isEqual(
                        UnsafeRawBufferPointer(rebasing: bytes[(start + 1)..<end]), all[index])
                else { return false }
                start = end
            }
            return start == bytes.count
        }
    }
}
