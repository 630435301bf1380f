extension HelpText {
    /// What the hosts that visitors come to may be.
    static let domains = """
        Domains

        While there is no domain, campaigns are served at every host that leads to this tracker. From
        the first one on, they are served at the domains, at PUBLIC_URL's host and, for tests, at
        localhost, 127.0.0.1 and [::1]; any other host gets 404.

          clickrelay domain apply - <<< '{"host": "go.example.com", "campaign": "summer",
            "fallback_url": "https://example.com/"}'

        campaign       who opens the domain without a path is a click of this campaign
        fallback_url   who asks for a campaign that there is not, or for one that has nowhere to send
                       them, is sent here; without it they get 404. Only the latter are clicks, so
                       that tokens have values for them alone

        A host is written without scheme and port, other alphabets in Punycode (xn--...). Case, ports
        and a dot at the end make no difference. A proxy in front must hand on the visitor's Host
        (nginx: proxy_set_header Host $host); every domain must be named by a
        certificate in TLS_CERT_FILE, which may be several.
        Postbacks, pixels, /healthz, /readyz and the API are answered at every host: no network's
        call is lost because of a domain.

        """
}
