import Domain
import HTTP
import Store
import Testing

@testable import Outbound

@Suite struct AttemptJudgeTests {
    private static let converted = Instant(micros: 1_800_000_000_000_000)
    private let judge = AttemptJudge(settings: Dispatcher.Settings())

    private func delivery(attempts: Int = 0, success: SuccessRule = SuccessRule()) -> Delivery {
        Delivery(
            id: DeliveryID(4), conversionID: ConversionID(1), revision: 1, destination: "a/b",
            state: .waiting, reason: nil, dueAt: Self.converted, convertedAt: Self.converted,
            request: DispatcherHarness.request("http://a/", success: success),
            attemptCount: attempts)
    }

    private func verdict(
        _ end: CallEnd, attempts: Int = 0, success: SuccessRule = SuccessRule(),
        hoursLater: Int64 = 0
    ) -> AttemptJudge.Verdict {
        let at = Self.converted.advanced(by: .seconds(hoursLater * 3600))
        return judge.judge(
            end, of: delivery(attempts: attempts, success: success),
            AttemptJudge.Times(
                startedAt: at, endedAt: at.advanced(by: .seconds(1)), milliseconds: 1000),
            jitter: 0)
    }

    private func verdict(
        status: Int, headers: String = "", body: String = "", success: SuccessRule = SuccessRule()
    ) -> AttemptJudge.Verdict {
        verdict(
            .answered(
                answer(
                    "HTTP/1.1 \(status) Words\r\n\(headers)Content-Length: \(body.utf8.count)"
                        + "\r\n\r\n\(body)")), success: success)
    }

    private func pause(_ verdict: AttemptJudge.Verdict) -> Duration? {
        guard case .retry(let at) = verdict.result.outcome else { return nil }
        return at - Self.converted
    }

    @Test(arguments: [(200, true), (299, true), (300, false)])
    func `the status range decides`(status: Int, isSuccess: Bool) {
        let verdict = verdict(status: status)
        #expect((verdict.result.outcome == .delivered) == isSuccess)
        #expect((verdict.result.attempt.error == nil) == isSuccess)
        #expect(verdict.health == .healthy)
    }

    @Test func `refusals by a healthy host are not held against it`() {
        for status in [301, 400, 401, 404, 408, 410, 422] {
            #expect(verdict(status: status).health == .healthy, "\(status)")
        }
        for status in [429, 500, 502, 503, 599] {
            #expect(
                verdict(status: status).health == .failing("answered \(status) Words"),
                "\(status)")
        }
        #expect(
            verdict(status: 200, success: SuccessRule(bodyContains: "OK")).health == .healthy)
    }

    @Test(arguments: [
        (ClientError.connect("connect 192.0.2.1:80: Connection refused", code: 111), true),
        (.timeout(.answer), true), (.timeout(.connect), true), (.closed("x"), true),
        (.tls("certificate has expired"), true), (.malformed("x"), true), (.resolve("x"), true),
        (.refusedAddress("127.0.0.1 is a loopback address"), false),
    ])
    func `no answer is held against the host unless we refused to call`(
        error: ClientError, isFailing: Bool
    ) {
        let verdict = verdict(.failed(error))
        #expect(
            verdict.health
                == (isFailing ? .failing(verdict.result.attempt.error ?? "") : .unknown))
        #expect(verdict.result.attempt.status == nil)
        #expect(verdict.result.attempt.milliseconds == 1000)
        #expect(pause(verdict) == .seconds(11))
    }

    @Test func `failures are written for people`() {
        func text(_ error: ClientError) -> String? {
            verdict(.failed(error)).result.attempt.error
        }
        #expect(text(.timeout(.answer)) == "no answer within 15 s")
        #expect(text(.timeout(.connect)) == "no connection within 5 s")
        #expect(text(.timeout(.resolve)) == "the name was not resolved within 5 s")
        #expect(text(.tls("certificate has expired")) == "TLS: certificate has expired")
    }

    @Test func `410 is final unless the destination takes it for success`() {
        #expect(
            verdict(status: 410).result.outcome == .dead("the receiver answered 410 Gone"))
        #expect(
            verdict(status: 410, success: SuccessRule(statuses: 200...499)).result.outcome
                == .delivered)
    }

    @Test func `Retry-After is honoured up to a day and never shortens a pause`() {
        #expect(pause(verdict(status: 503, headers: "Retry-After: 120\r\n")) == .seconds(121))
        #expect(pause(verdict(status: 404, headers: "retry-after: 120\r\n")) == .seconds(121))
        #expect(pause(verdict(status: 503, headers: "Retry-After: 1\r\n")) == .seconds(11))
        #expect(pause(verdict(status: 503, headers: "Retry-After: soon\r\n")) == .seconds(11))
        #expect(
            pause(verdict(status: 503, headers: "Retry-After: 999999\r\n")) == .seconds(86_401))
        #expect(
            verdict(status: 200, headers: "Retry-After: 120\r\n").result.outcome == .delivered)
    }

    @Test func `it is given up at the give-up time and says why`() {
        let refused = CallEnd.failed(.connect("connect 192.0.2.1:80: refused", code: 111))
        let last = verdict(refused, attempts: 16, hoursLater: 71)
        #expect(pause(last) == .seconds(72 * 3600))
        let after = verdict(refused, attempts: 17, hoursLater: 72)
        #expect(
            after.result.outcome
                == .dead(
                    "given up 72 h after the conversion, at attempt 18: "
                        + "connect 192.0.2.1:80: refused"))
        #expect(after.result.attempt.number == 18)
    }

    @Test func `other people's text is cut and made printable`() {
        let long = String(repeating: "a", count: 1000)
        let verdict = verdict(status: 302, headers: "Location: /\u{1b}[31m\u{7f}é\(long)\r\n")
        let error = verdict.result.attempt.error ?? ""
        #expect(error.utf8.allSatisfy { (0x20..<0x7f).contains($0) })
        #expect(error.hasPrefix("answered 302 to /?[31m???aaa") && error.utf8.count < 400)
    }

    @Test func `the start of the answer's body is kept`() {
        let body = String(repeating: "x", count: Attempt.excerptMax + 1)
        #expect(verdict(status: 500, body: body).result.attempt.excerpt.count == 2048)
    }

    @Test func `the next attempt follows on this one`() {
        let failed = verdict(status: 500)
        let next = failed.result.next(delivery())
        #expect(next?.attemptCount == 1 && next?.dueAt == Self.converted.advanced(by: .seconds(11)))
        #expect(next?.idempotencyKey == delivery().idempotencyKey)
        #expect(verdict(status: 200).result.next(delivery()) == nil)
    }
}
