internal import Domain
internal import HTTP
internal import Store

/// How a call ended.
enum CallEnd {
    case answered(ClientResponse)
    case failed(ClientError)
    /// No access token was to be had for it.
    ///
    /// - isFailing: nor would there be for others: the endpoint that gives them fails.
    case unauthorized(String, isFailing: Bool)
    /// It can't be made, now or ever.
    case unsendable(String)

    init(_ result: Result<ClientResponse, ClientError>) {
        self =
            switch result {
            case .success(let response): .answered(response)
            case .failure(let error): .failed(error)
            }
    }
}

extension ClientError {
    /// The call ended for reasons of our own, and tells nothing of anybody: it doesn't count.
    var isNoAttempt: Bool { isShortageOfOurs || self == .tooManyPending || self == .cancelled }
}

/// Decides what an attempt means for its delivery and for its host.
struct AttemptJudge: Sendable {
    let settings: Dispatcher.Settings

    struct Times {
        var startedAt: Instant
        var endedAt: Instant
        var milliseconds: Int
        /// For how long the delivery was held by somebody's pause until then.
        var held = Duration.zero
    }

    struct Verdict {
        let result: DeliveryResult
        let health: HostHealth
    }

    /// - Parameter jitter: in 0...1; drawn only for what is tried again, since the randomness is the
    ///   kernel's.
    func judge(
        _ end: CallEnd, of delivery: Delivery, _ times: Times, jitter: @autoclosure () -> Double
    ) -> Verdict {
        switch end {
        case .answered(let response):
            judge(response, of: delivery, times, jitter: jitter())
        case .failed(let error):
            retry(
                delivery, times, jitter: jitter(), error: text(of: error),
                health: health(of: error))
        case .unauthorized(let reason, let isFailing):
            // Without an answer there, calls here come to nothing.
            retry(
                delivery, times, jitter: jitter(), error: reason,
                health: isFailing ? .failing(reason) : .unknown)
        case .unsendable(let reason):
            verdict(
                delivery, times, error: reason, outcome: .dead("it can't be sent: \(reason)"),
                health: .unknown)
        }
    }

    // MARK: Answers

    private func judge(
        _ response: ClientResponse, of delivery: Delivery, _ times: Times,
        jitter: @autoclosure () -> Double
    ) -> Verdict {
        let rule = delivery.request.success
        if rule.accepts(status: response.status, body: response.body) {
            return verdict(
                delivery, times, response: response, outcome: .delivered, health: .healthy)
        }
        if response.status == 410 {
            let reason = "the receiver answered 410 Gone"
            return verdict(
                delivery, times, response: response, error: reason, outcome: .dead(reason),
                health: .healthy)
        }
        let error = Self.text(of: response, refusedBy: rule)
        let retryAfter = response.headers["retry-after"].flatMap {
            RetryAfter.parse($0, now: times.endedAt)
        }
        return retry(
            delivery, times, jitter: jitter(), response: response, error: error,
            retryAfter: retryAfter,
            health: Self.isFailing(response.status) ? .failing(error) : .healthy)
    }

    /// 429: every further call would be refused too, whatever it says.
    static func isFailing(_ status: Int) -> Bool { status >= 500 || status == 429 }

    private static func text(of response: ClientResponse, refusedBy rule: SuccessRule) -> String {
        let status = "answered \(response.status)"
        if rule.statuses.contains(response.status) {
            return "\(status) \(printable(rule.refusal(of: response.body) ?? ""))"
        }
        if (300...399).contains(response.status), let location = response.headers["location"] {
            return "\(status) to \(printable(location)); redirects are not followed"
        }
        let reason = printable(response.reason)
        return reason.isEmpty ? status : "\(status) \(reason)"
    }

    /// Other people's text, cut and without anything a terminal would act on.
    private static func printable(_ text: String) -> String {
        String(
            decoding: text.utf8.prefix(300).map { (0x20..<0x7f).contains($0) ? $0 : 0x3f },
            as: UTF8.self)
    }

    // MARK: Failures

    func text(of error: ClientError) -> String {
        let all = Self.seconds(settings.timeoutMilliseconds)
        let connect = Self.seconds(settings.connectTimeoutMilliseconds)
        return switch error {
        case .timeout(.connection): "no connection was free within \(all)"
        case .timeout(.resolve): "the name was not resolved within \(connect)"
        case .timeout(.connect): "no connection within \(connect)"
        case .timeout(.handshake): "no TLS handshake within \(connect)"
        case .timeout(.answer): "no answer within \(all)"
        case .resolve, .refusedAddress, .connect, .tls, .closed, .malformed, .cancelled,
            .tooManyPending:
            error.text
        }
    }

    /// For people.
    static func seconds(_ milliseconds: Int) -> String {
        milliseconds % 1000 == 0 ? "\(milliseconds / 1000) s" : "\(milliseconds) ms"
    }

    func health(of error: ClientError) -> HostHealth {
        switch error {
        case .resolve, .connect, .tls, .timeout, .closed, .malformed: .failing(text(of: error))
        case .refusedAddress, .cancelled, .tooManyPending: .unknown
        }
    }

    // MARK: Outcomes

    private func retry(
        _ delivery: Delivery, _ times: Times, jitter: Double, response: ClientResponse? = nil,
        error: String, retryAfter: Duration? = nil, health: HostHealth
    ) -> Verdict {
        let failure = Dispatcher.Failure(
            attempt: delivery.attemptCount + 1, at: times.endedAt,
            convertedAt: delivery.firstDueAt, giveUpAfter: settings.giveUpAfter + times.held,
            retryAfter: retryAfter, jitter: jitter)
        let outcome: AttemptOutcome
        if let next = settings.schedule(failure) {
            outcome = .retry(at: next)
        } else {
            let givenUp = givenUp(isDelayed: delivery.delaySeconds > 0, held: times.held)
            outcome = .dead("\(givenUp), at attempt \(failure.attempt): \(error)")
        }
        return verdict(
            delivery, times, response: response, error: error, outcome: outcome, health: health)
    }

    /// The beginning of a reason.
    ///
    /// - Parameters:
    ///   - isDelayed: its time began after the conversion.
    ///   - held: for how long somebody's pause held it.
    func givenUp(isDelayed: Bool, held: Duration) -> String {
        let hours = settings.giveUpAfter.components.seconds / 3600
        let pauses = held == .zero ? "" : " (its pauses not counted)"
        return "given up \(hours) h after \(isDelayed ? "it was due" : "the conversion")\(pauses)"
    }

    private func verdict(
        _ delivery: Delivery, _ times: Times, response: ClientResponse? = nil,
        error: String? = nil, outcome: AttemptOutcome, health: HostHealth
    ) -> Verdict {
        let body = response?.body ?? []
        let excerpt =
            body.count <= Attempt.excerptMax ? body : Array(body.prefix(Attempt.excerptMax))
        let attempt = Attempt(
            number: delivery.attemptCount + 1, at: times.startedAt, status: response?.status,
            milliseconds: response?.milliseconds ?? times.milliseconds, error: error,
            excerpt: excerpt)
        return Verdict(
            result: DeliveryResult(of: delivery, attempt, outcome: outcome),
            health: health)
    }
}
