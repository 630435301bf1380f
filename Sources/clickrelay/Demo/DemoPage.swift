/// A page of the demo's fakes. Text is escaped as it is added; there is no other way in.
struct DemoPage {
    private let title: String
    private var body = ""

    init(_ title: String) { self.title = title }

    mutating func paragraph(_ text: String) { body += "<p>\(Self.escaped(text))</p>\n" }

    mutating func code(_ text: String) { body += "<pre>\(Self.escaped(text))</pre>\n" }

    mutating func link(_ text: String, to url: String) {
        body += "<p><a href=\"\(Self.escaped(url))\">\(Self.escaped(text))</a></p>\n"
    }

    var text: String {
        """
        <!doctype html>
        <html lang="en">
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>\(Self.escaped(title))</title>
        <style>
        body { font: 17px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 3rem auto; padding: 0 1rem }
        pre { background: #f2f2f2; padding: .6rem .8rem; white-space: pre-wrap; word-break: break-all }
        a { font-weight: 600 }
        </style>
        <h1>\(Self.escaped(title))</h1>
        \(body)</html>

        """
    }

    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
