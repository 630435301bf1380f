import Foundation
import TestSupport
import Testing

@testable import Net

@Suite struct MachineAddressTests {
    private static let loopback: UInt128 = 0xffff_7f00_0001
    /// 203.0.113.1, .2 and .3 (TEST-NET-3), of which an interface has the first two.
    private static let first: UInt128 = 0xffff_cb00_7101
    private static let (second, foreign) = (first + 1, first + 2)
    /// 2001:db8::1
    private static let ofIPv6: UInt128 = 0x2001_0db8 << 96 | 1

    @Test func `the machine has its loopback addresses, and nobody else's`() {
        #expect(MachineAddresses.contains(Self.loopback))
        #expect(!MachineAddresses.contains(Self.foreign))
    }

    @Test func `where sockets may be bound to any address, only the interfaces' are ours`() throws {
        let network: PrivateNetwork
        do {
            network = try PrivateNetwork(addresses: ["203.0.113.1", "203.0.113.2", "2001:db8::1"])
        } catch let reason as PrivateNetwork.Unavailable {
            print("MachineAddressTests passed over: \(reason)")
            return
        }
        do {
            try network.perform {
                try Data("1\n".utf8).write(
                    to: URL(fileURLWithPath: "/proc/sys/net/ipv4/ip_nonlocal_bind"))
            }
        } catch {
            // In some containers it is read-only.
            print("MachineAddressTests passed over: \(error)")
            return
        }
        try network.perform {
            #expect(MachineAddresses.canBindAny(true) && !MachineAddresses.canBindAny(false))
            for own in [Self.loopback, Self.first, Self.second, Self.ofIPv6] {
                #expect(MachineAddresses.contains(own))
            }
            for foreign in [Self.foreign, Self.ofIPv6 + 1] {
                #expect(!MachineAddresses.contains(foreign))
            }
        }
    }
}
