import Testing
import Visitors

@Suite struct AcceptLanguageTests {
    private func best(_ header: String) -> String? {
        var bytes: [UInt8] = []
        let isKnown = Array(header.utf8).withUnsafeBytes {
            AcceptLanguage.appendBest($0, to: &bytes)
        }
        return isKnown ? String(decoding: bytes, as: UTF8.self) : nil
    }

    @Test(arguments: [
        ("de-DE,de;q=0.9,en;q=0.8", "de-de"), ("pt-BR", "pt-br"), ("en;q=0.5, fr;q=0.9", "fr"),
        ("en;q=0.8,fr;q=0.8", "en"), ("*, de;q=0.1", "de"), (" zh-Hant-TW ;q=1.0", "zh-hant-tw"),
        ("da;q=0,sv;q=0.001", "sv"), ("en_US, fr", "fr"), ("x\u{1}y, it", "it"),
        ("es-419,es;q=0.9", "es-419"),
    ]) func `the language that is liked best counts`(header: String, language: String) {
        #expect(best(header) == language)
    }

    @Test(arguments: ["", "*", ",", ";q=1", "-", "de-", "de;q=0", "de;q=2", "de;q=0.5.5", "1de"])
    func `a header that names no language tells none`(header: String) {
        #expect(best(header) == nil)
    }

    @Test func `of an endless header only the beginning is read`() {
        let many = String(repeating: "de;q=0.1,", count: 40)
        #expect(best(many + "fr") == "de")
    }
}
