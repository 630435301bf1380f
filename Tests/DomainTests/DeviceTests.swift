import Domain
import Testing

@Suite struct DeviceTests {
    private func reread(_ bytes: [UInt8]) -> Device? {
        bytes.withUnsafeBytes { Device(packed: $0) }
    }

    @Test func `a device packs into one text and comes back`() {
        var device = Device()
        #expect(String(decoding: device.packed, as: UTF8.self) == "other")
        #expect(reread(device.packed) == device)
        device.kind = .tablet
        device.brand = "Samsung"
        device.osVersion = "13"
        device.browser = "Seznam prohlížeč"
        #expect(
            String(decoding: device.packed, as: UTF8.self)
                == "tablet\tSamsung\t\t\t13\tSeznam prohlížeč")
        #expect(reread(device.packed) == device)
        device.model = "A\tB"
        #expect(reread(device.packed)?.model == "A B")
        device.language = "pt-br"
        #expect(reread(device.packed)?.language == "pt-br")
    }

    @Test(arguments: ["", "\t", "phone", "mobilex\tApple", "\tmobile"])
    func `a text that is no device tells none`(text: String) {
        #expect(reread(Array(text.utf8)) == nil)
    }

    @Test func `fields of a later version are left out`() {
        #expect(reread(Array("tv\t1\t2\t3\t4\t5\t6\t7\t8\t9\t10".utf8))?.language == "8")
    }

    @Test func `what isn't known has no value`() {
        var device = Device()
        for fact in Device.facts { #expect(device.value(of: fact) == nil) }
        device.kind = .tv
        device.os = "Tizen"
        #expect(device.value(of: .device as Fact) == "tv")
        #expect(device.value(of: .os as Token) == "Tizen")
        #expect(device.value(of: .browser as Token) == nil)
    }

    @Test func `a visit of a later version is no click`() {
        #expect(VisitKind(stored: nil) == .visitor)
        #expect(VisitKind(stored: 77) == .bot)
        for kind in VisitKind.allCases { #expect(VisitKind(stored: kind.stored) == kind) }
    }
}
