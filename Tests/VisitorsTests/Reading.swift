import Domain
import Visitors

func device(_ userAgent: String) -> Device {
    Array(userAgent.utf8).withUnsafeBytes { DeviceReader.read(AgentHeaders(userAgent: $0)) }
}

/// Headers of a request, alive as long as this is.
final class SentHeaders {
    private var owned: [UnsafeMutableRawBufferPointer] = []

    deinit { for bytes in owned { bytes.deallocate() } }

    func bytes(_ text: String) -> UnsafeRawBufferPointer {
        let bytes = UnsafeMutableRawBufferPointer.allocate(
            byteCount: max(text.utf8.count, 1), alignment: 1)
        bytes.copyBytes(from: text.utf8)
        owned.append(bytes)
        return UnsafeRawBufferPointer(rebasing: bytes[..<text.utf8.count])
    }
}

/// The device as client hints and the agent together tell it.
func device(
    _ userAgent: String, brands: String = "", platform: String = "", version: String = "",
    model: String = "", mobile: String = "", form: String = ""
) -> Device {
    let sent = SentHeaders()
    var headers = AgentHeaders(userAgent: sent.bytes(userAgent))
    headers.brands = sent.bytes(brands)
    headers.platform = sent.bytes(platform)
    headers.platformVersion = sent.bytes(version)
    headers.model = sent.bytes(model)
    headers.mobile = sent.bytes(mobile)
    headers.formFactors = sent.bytes(form)
    return withExtendedLifetime(sent) { DeviceReader.read(headers) }
}
