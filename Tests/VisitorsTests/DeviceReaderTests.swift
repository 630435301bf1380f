import Domain
import Testing
import Visitors

@Test func `an empty user agent tells nothing`() {
    #expect(DeviceReader.read(userAgent: UnsafeRawBufferPointer(start: nil, count: 0)) == .unknown)
}
