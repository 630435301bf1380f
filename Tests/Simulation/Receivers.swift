import Domain
import Foundation
import Net
import SimulatedMachine
import TestSupport

/// A call as it came to a receiver.
struct ReceivedCall {
    let host: String
    /// Path and query.
    let target: String
    let key: String
}

/// The traffic sources' servers and the network between: they accept, refuse, fail, hang, break off in
/// the middle, and answer into the void, each host by its mood.
///
/// Requests are read as soon as they are sent; what becomes of them is an event of the world.
// Unchecked: the simulation has one thread.
final class Receivers: NameResolver, @unchecked Sendable {
    /// How likely is what, in percent.
    struct Mood {
        var refusesConnections = 0
        var hangs = 0
        var failsToResolve = 0
        var breaksOff = 0
        var answersHalf = 0
        var answersNonsense = 0
        var answersLate = 0
        var serverErrors = 0
        var clientErrors = 0
        var tooMany = 0
        var gone = 0
        var redirects = 0
        /// Connections that are closed after an answer though they might be kept.
        var closes = 0

        static let well = Mood()
    }

    private final class Peer {
        let descriptor: Int32
        let host: String
        var input: [UInt8] = []
        /// Of the call under way.
        var key: String?
        var isOpen = true

        init(_ descriptor: Int32, _ host: String) {
            self.descriptor = descriptor
            self.host = host
        }
    }

    private unowned let world: World
    private var peers: [Peer] = []
    var moods: [String: Mood] = [:]

    init(_ world: World) {
        self.world = world
        machine_set_network(
            { context, address, peer in
                guard let context else { return ENETUNREACH }
                return Unmanaged<Receivers>.fromOpaque(context).takeUnretainedValue()
                    .connecting(to: address, peer: peer)
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    // MARK: Connecting

    private static let firstAddress: UInt32 = 93 << 24 | 184 << 16 | 216 << 8

    func resolve(
        _ host: String, on loop: EventLoop,
        _ done: @escaping @Sendable (Result<[UInt128], ResolverError>) -> Void
    ) {
        let fails = chance(mood(of: host).failsToResolve)
        guard let index = Template.hosts.firstIndex(of: host), !fails else {
            world.trace.note("network: \(host) is not resolved")
            return loop.post { done(.failure(ResolverError("no such name now"))) }
        }
        let address = UInt128(Self.firstAddress + UInt32(index)) | 0xffff << 32
        loop.post { done(.success([address])) }
    }

    private func connecting(to address: UInt32, peer: Int32) -> Int32 {
        let index = Int(address &- Self.firstAddress)
        guard Template.hosts.indices.contains(index) else { return ENETUNREACH }
        let host = Template.hosts[index]
        if chance(mood(of: host).refusesConnections) {
            world.trace.note("network: \(host) refuses a connection")
            return ECONNREFUSED
        }
        if chance(mood(of: host).hangs) {
            world.trace.note("network: a connection to \(host) is not answered")
            return Int32(machine_hangs)
        }
        peers.append(Peer(peer, host))
        return Int32(machine_connects)
    }

    /// Both ends are gone, or all wires are cut.
    func dropAll() {
        for peer in peers { close(peer) }
        peers = []
    }

    private func close(_ peer: Peer) {
        guard peer.isOpen else { return }
        peer.isOpen = false
        Socket.close(peer.descriptor)
    }

    // MARK: Calls

    /// Takes what has arrived. Whether there was anything.
    func poll() throws -> Bool {
        var isAny = false
        var index = 0
        while index < peers.count {
            let peer = peers[index]
            if try read(peer) { isAny = true }
            if peer.isOpen { index += 1 } else { peers.remove(at: index) }
        }
        return isAny
    }

    private func read(_ peer: Peer) throws -> Bool {
        var isAny = false
        var buffer = [UInt8](repeating: 0, count: 4096)
        while peer.isOpen {
            switch buffer.withUnsafeMutableBytes({ Socket.read(peer.descriptor, into: $0) }) {
            case .bytes(let count):
                isAny = true
                peer.input += buffer[..<count]
                try take(peer)
            case .wouldBlock: return isAny
            case .end, .failed:
                close(peer)
                return true
            }
        }
        return isAny
    }

    private func take(_ peer: Peer) throws {
        let text = String(decoding: peer.input, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n") else { return }
        let lines = text[..<end.lowerBound].split(separator: "\r\n")
        let length = lines.compactMap { Self.value("content-length", $0) }.first.flatMap { Int($0) }
        guard text[end.upperBound...].utf8.count >= length ?? 0 else { return }
        peer.input = []
        guard let first = lines.first, first.split(separator: " ").count == 3,
            let key = lines.compactMap({ Self.value("idempotency-key", $0) }).first
        else { throw Violation("a receiver got a request that is none: \(text)") }
        // A delivery has one call at a time, and the loop closes the old one before it makes another.
        for other in peers where other !== peer && other.key == key {
            _ = try read(other)
            if other.isOpen { throw Violation("\(key) is called while a call of it is under way") }
        }
        peer.key = key
        try world.received(
            ReceivedCall(
                host: peer.host, target: String(first.split(separator: " ")[1]), key: key))
        answer(peer, key)
    }

    private static func value(_ name: String, _ line: Substring) -> String? {
        guard let colon = line.firstIndex(of: ":"), line[..<colon].lowercased() == name else {
            return nil
        }
        return String(line[line.index(after: colon)...].drop { $0 == " " })
    }

    private func answer(_ peer: Peer, _ key: String) {
        let mood = mood(of: peer.host)
        let delay =
            chance(mood.answersLate)
            ? Double.random(in: 1...20, using: &world.random)
            : Double.random(in: 0.001...0.3, using: &world.random)
        if chance(mood.hangs) {
            world.trace.note("network: \(peer.host) does not answer \(key)")
            return
        }
        if chance(mood.breaksOff) {
            world.trace.note("network: \(peer.host) will close instead of answering \(key)")
            return after(delay, peer) { [self] in close(peer) }
        }
        let isKept = !chance(mood.closes)
        let (status, fields) = status(mood)
        var bytes = Array(
            "HTTP/1.1 \(status) X\r\n\(fields)\(isKept ? "" : "Connection: close\r\n")Content-Length: 2\r\n\r\nok"
                .utf8)
        if chance(mood.answersNonsense) { bytes = Array("no such thing\r\n\r\n".utf8) }
        let isHalf = chance(mood.answersHalf)
        if isHalf { bytes.removeLast(Int.random(in: 1..<bytes.count, using: &world.random)) }
        let isWhole = !isHalf && bytes[0] == UInt8(ascii: "H")
        world.trace.note(
            "network: \(peer.host) will answer \(key) \(isWhole ? "\(status)" : "badly")")
        after(delay, peer) { [self] in
            peer.key = nil
            guard
                case .bytes(bytes.count) = bytes.withUnsafeBytes({
                    Socket.write(peer.descriptor, $0)
                })
            else { return close(peer) }
            if isWhole { world.answered(key, status) }
            if !isKept || !isWhole {
                close(peer)
            } else if chance(mood.closes) {
                after(Double.random(in: 0...5, using: &world.random), peer) { [self] in
                    close(peer)
                }
            }
        }
    }

    private func status(_ mood: Mood) -> (Int, String) {
        let dice = Int.random(in: 0..<100, using: &world.random)
        var limit = mood.serverErrors
        if dice < limit { return (Bool.random(using: &world.random) ? 500 : 503, "") }
        limit += mood.clientErrors
        if dice < limit { return (Bool.random(using: &world.random) ? 400 : 404, "") }
        limit += mood.tooMany
        if dice < limit {
            return (429, "Retry-After: \(Int.random(in: 0...7200, using: &world.random))\r\n")
        }
        limit += mood.gone
        if dice < limit { return (410, "") }
        limit += mood.redirects
        if dice < limit { return (302, "Location: http://two.example/\r\n") }
        return (Bool.random(using: &world.random) ? 200 : 201, "")
    }

    /// Unless the connection is closed by then.
    private func after(_ seconds: Double, _ peer: Peer, _ body: @escaping () -> Void) {
        world.after(seconds: seconds) { if peer.isOpen { body() } }
    }

    private func mood(of host: String) -> Mood { moods[host] ?? .well }

    private func chance(_ percent: Int) -> Bool {
        percent > 0 && Int.random(in: 0..<100, using: &world.random) < percent
    }
}
