/// method.md, the methods of invalid.md, and url.md. A method is any token: which of them an address
/// takes is for its handler to say (RFC 9110, 9.1), but for CONNECT, which has no target of ours.
extension LlhttpCases {
    static let methods: [ConformanceCase] = [
        row("REPORT request", "REPORT /test HTTP/1.1\r\nHost: a\r\n\r\n", ["REPORT /test"], .open),
        row(
            "CONNECT request",
            "CONNECT 0-home0.netscape.com:443 HTTP/1.0\r\n" + agent
                + "\r\nsome data\r\nand yet even more data"),
        row(
            "CONNECT request with CAPS",
            "CONNECT HOME0.NETSCAPE.COM:443 HTTP/1.0\r\n" + agent + "\r\n"),
        row(
            "CONNECT with body",
            "CONNECT foo.bar.com:443 HTTP/1.0\r\n" + agent
                + "Content-Length: 10\r\n\r\nblarfcicle\""),
        row(
            "M-SEARCH request (stricter: an asterisk is for OPTIONS)",
            "M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: \"ssdp:discover\"\r\n"
                + "ST: \"ssdp:all\"\r\n\r\n"),
        row(
            "PATCH request",
            "PATCH /file.txt HTTP/1.1\r\nHost: www.example.com\r\n"
                + "Content-Type: application/example\r\nIf-Match: \"e0023aa4e\"\r\n"
                + "Content-Length: 10\r\n\r\ncccccccccc",
            ["PATCH /file.txt → cccccccccc"], .open),
        row(
            "PURGE request", "PURGE /file.txt HTTP/1.1\r\nHost: www.example.com\r\n\r\n",
            ["PURGE /file.txt"], .open),
        row(
            "SEARCH request", "SEARCH / HTTP/1.1\r\nHost: www.example.com\r\n\r\n", ["SEARCH /"],
            .open),
        row(
            "LINK request",
            "LINK /images/my_dog.jpg HTTP/1.1\r\nHost: example.com\r\n"
                + "Link: <http://example.com/profiles/joe>; rel=\"tag\"\r\n"
                + "Link: <http://example.com/profiles/sally>; rel=\"tag\"\r\n\r\n",
            ["LINK /images/my_dog.jpg"], .open),
        row(
            "LINK request (UNLINK)",
            "UNLINK /images/my_dog.jpg HTTP/1.1\r\nHost: example.com\r\n"
                + "Link: <http://example.com/profiles/sally>; rel=\"tag\"\r\n\r\n",
            ["UNLINK /images/my_dog.jpg"], .open),
        row(
            "SOURCE request", "SOURCE /music/sweet/music HTTP/1.1\r\nHost: example.com\r\n\r\n",
            ["SOURCE /music/sweet/music"], .open),
        row(
            "SOURCE request with ICE (stricter)",
            "SOURCE /music/sweet/music ICE/1.0\r\nHost: example.com\r\n\r\n"),
        row(
            "OPTIONS request with RTSP (stricter)",
            "OPTIONS /music/sweet/music RTSP/1.0\r\nHost: example.com\r\n\r\n"),
        row(
            "ANNOUNCE request with RTSP (stricter)",
            "ANNOUNCE /music/sweet/music RTSP/1.0\r\nHost: example.com\r\n\r\n"),
        row("PRI request HTTP2", "PRI * HTTP/1.1\r\nHost: a\r\n\r\nSM\r\n\r\n"),
        // Laxer: there it's a list of names, here they are the handler's.
        row(
            "HTTP protocol and ANNOUNCE method (taken)",
            "ANNOUNCE /music/sweet/music HTTP/1.0\r\nHost: example.com\r\n\r\n",
            ["ANNOUNCE /music/sweet/music"], .closed),
        row("invalid method (taken)", "MKCOLA / HTTP/1.1\r\nHost: a\r\n\r\n", ["MKCOLA /"], .open),
        row(
            "absolute URL",
            "GET http://example.com/path?query=value#schema HTTP/1.1\r\nHost: example.com\r\n\r\n",
            ["GET /path?query=value#schema"], .open),
        row(
            "relative URL", "GET /path?query=value#schema HTTP/1.1\r\nHost: example.com\r\n\r\n",
            ["GET /path?query=value#schema"], .open),
        row(
            "failing on broken schema",
            "GET schema:/path?query=value#schema HTTP/1.1\r\nHost: example.com\r\n\r\n"),
    ]

    private static let agent =
        "User-agent: Mozilla/1.1N\r\nProxy-authorization: basic aGVsbG86d29ybGQ=\r\n"
}
