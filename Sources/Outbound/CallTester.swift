public import Domain
public import HTTP
internal import Store

/// Makes single calls to see what comes of them: through the client, the address check and the
/// judgement of deliveries, and recorded nowhere.
// Unchecked because everything but `test` is confined to the client's loop.
public final class CallTester: @unchecked Sendable {
    private let caller: Caller
    private let hooks: Dispatcher.Hooks
    private let judge: AttemptJudge
    private let millisecondsMax: Int
    private var underWay = 0

    /// Calls at once; people make them, one after the other.
    static let callsMax = 4
    /// Redirects of one call that are followed to be shown. Deliveries follow none.
    static let redirectsMax = 5
    /// For a call and its redirects: somebody waits for the answer.
    static let millisecondsMax = 25_000

    /// - Parameter loop: the loop that `client` belongs to.
    public convenience init(
        settings: Dispatcher.Settings, loop: LoopHandle, client: Client, hooks: Dispatcher.Hooks
    ) {
        let gate = AddressGate(isOwnAddress: hooks.isOwnAddress)
        let tokens = AccessTokens(settings: settings, loop: loop, client: client, gate: gate)
        self.init(
            Caller(
                settings: settings, loop: loop, client: client, gate: gate, tokens: tokens,
                auth: hooks.auth), hooks)
    }

    init(
        _ caller: Caller, _ hooks: Dispatcher.Hooks,
        millisecondsMax: Int = CallTester.millisecondsMax
    ) {
        var caller = caller
        caller.settings.timeoutMilliseconds = min(
            caller.settings.timeoutMilliseconds, millisecondsMax)
        self.caller = caller
        self.hooks = hooks
        self.millisecondsMax = millisecondsMax
        judge = AttemptJudge(settings: caller.settings)
    }

    /// Calls a destination once with what a delivery would be. From any thread.
    ///
    /// - Parameter done: is given what there was to see, as JSON, on the loop; nil when
    ///   too many such calls are under way.
    public func test(_ delivery: Delivery, _ done: @escaping @Sendable (JSONValue?) -> Void) {
        loop.post { [self] in
            guard underWay < Self.callsMax else { return done(nil) }
            underWay += 1
            begin(delivery) { [self] tested in
                underWay -= 1
                done(tested.json)
            }
        }
    }

    private func begin(_ delivery: Delivery, _ done: @escaping (TestedCall) -> Void) {
        let watch = Caller.Watch()
        let startedAt = (wall: now, nanos: loop.nowNanos)
        var timer: LoopTimer?
        var isCutOff = false
        let ended = { [self] (end: CallEnd) in
            if let timer { loop.cancel(timer) }
            var tested = TestedCall(delivery)
            tested.headers = watch.headers
            tested.report = watch.report
            if case .answered(let response) = end { tested.response = response }
            let times = AttemptJudge.Times(
                startedAt: startedAt.wall, endedAt: now, milliseconds: milliseconds(startedAt.nanos)
            )
            let verdict = judge.judge(end, of: delivery, times, jitter: 0).result
            tested.isAccepted = verdict.outcome == .delivered
            tested.reason =
                isCutOff
                ? "no answer within \(AttemptJudge.seconds(millisecondsMax))"
                : verdict.attempt.error
            follow(tested, startedAt.nanos, done)
        }
        do throws(Unsendable) {
            let handle = try caller.call(delivery, at: startedAt.wall, watch: watch, ended)
            // One with an access token may be several, each of which has its own time.
            timer = loop.schedule(afterMilliseconds: millisecondsMax) {
                isCutOff = true
                handle.cancel()
            }
        } catch {
            ended(.unsendable(error.reason))
        }
    }

    private func follow(
        _ tested: TestedCall, _ startedNanos: UInt64, _ done: @escaping (TestedCall) -> Void
    ) {
        // One that was called can be read.
        guard let response = tested.response, let url = try? OutboundCall.url(of: tested.delivery)
        else { return done(tested) }
        let walk = Walk(
            host: url.host, allowsPrivate: tested.delivery.request.allowsPrivate,
            startedNanos: startedNanos)
        follow(response, from: url, walk) { redirects in
            var tested = tested
            tested.redirects = redirects
            done(tested)
        }
    }

    /// The way from redirect to redirect.
    private struct Walk {
        /// The destination's own.
        let host: String
        let allowsPrivate: Bool
        let startedNanos: UInt64
        var redirects: [TestedCall.Redirect] = []
    }

    /// Shows where an answer leads, if it does: by GET, and without the destination's headers and
    /// body, which are meant for the address that its owner wrote.
    private func follow(
        _ response: ClientResponse, from base: URL, _ walk: Walk,
        _ done: @escaping ([TestedCall.Redirect]) -> Void
    ) {
        guard (300...399).contains(response.status), let location = response.headers["location"]
        else { return done(walk.redirects) }
        var redirect = TestedCall.Redirect(status: response.status, location: location)
        let url: URL
        let request: ClientRequest
        do {
            url = try URL(base, followedBy: location)
            redirect.url = url.text
            request = try look(at: url, walk)
        } catch {
            redirect.error = error.reason
            return done(walk.redirects + [redirect])
        }
        // So is what it's allowed.
        let check =
            walk.allowsPrivate && url.host == walk.host ? caller.gate.open : caller.gate.foreign
        let report = CallReport()
        caller.client.send(request, addressCheck: check, report: report) { [self] result in
            redirect.addresses = report.addresses
            var walk = walk
            switch result {
            case .success(let response):
                redirect.answered = response.status
                walk.redirects.append(redirect)
                follow(response, from: url, walk, done)
            case .failure(let error):
                redirect.error = judge.text(of: error)
                done(walk.redirects + [redirect])
            }
        }
    }

    private func look(at url: URL, _ walk: Walk) throws(Unsendable) -> ClientRequest {
        guard walk.redirects.count < Self.redirectsMax else {
            throw Unsendable("no more than \(Self.redirectsMax) redirects are followed")
        }
        var options = ClientRequest.Options()
        options.timeoutMilliseconds =
            caller.settings.timeoutMilliseconds - milliseconds(walk.startedNanos)
        guard options.timeoutMilliseconds > 0 else { throw Unsendable("no time was left for it") }
        options.connectTimeoutMilliseconds = caller.settings.connectTimeoutMilliseconds
        options.bodyReadMax = OutboundCall.bodyReadMax
        options.bodyKeptMax = 0
        do {
            return try ClientRequest(
                "GET", url, headers: [("User-Agent", caller.settings.userAgent)], options: options)
        } catch {
            throw Unsendable(error.text)
        }
    }

    private func milliseconds(_ startedNanos: UInt64) -> Int {
        Int(clamping: (loop.nowNanos - startedNanos) / 1_000_000)
    }

    private var loop: LoopHandle { caller.loop }

    private var now: Instant {
        Instant(micros: hooks.wallMicros.map { $0() } ?? loop.wallMicros)
    }
}

extension URL {
    /// Where a `Location` of an answer to `base` leads: an address of its own, or one on the same
    /// server (RFC 3986 section 5.2 without the removal of dots, which servers do themselves).
    init(_ base: URL, followedBy location: String) throws(Unsendable) {
        let origin = "\(base.scheme.rawValue)://\(base.authority)"
        let path = base.target.prefix { $0 != "?" }
        let text: String
        if location.hasPrefix("//") {
            text = "\(base.scheme.rawValue):\(location)"
        } else if location.hasPrefix("/") {
            text = origin + location
        } else if location.hasPrefix("?") {
            text = origin + path + location
        } else if location.prefix(while: { $0 != "/" && $0 != "?" && $0 != "#" }).contains(":") {
            text = location
        } else {
            text = origin + path[...(path.lastIndex(of: "/") ?? path.startIndex)] + location
        }
        do throws(URLError) {
            self = try URL(text)
        } catch {
            throw Unsendable("the address \(error.text)")
        }
    }
}
