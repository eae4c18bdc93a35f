import Testing

@testable import PartnerBooking

@Suite struct CircuitBreakerTests {
    private static let start = MonotonicTime(nanoseconds: 5_000_000_000)
    private static let settings = CircuitBreaker.Settings(failures: 3, openMilliseconds: 1_000)

    private func after(_ milliseconds: Int) -> MonotonicTime { Self.start.adding(milliseconds: milliseconds) }

    /// One request that is its own subject, as a search is.
    private func end(_ breaker: inout CircuitBreaker, _ id: TransferID, _ isOutage: Bool?, _ milliseconds: Int) {
        breaker.attemptEnded(id, subject: id.rawValue, isOutage: isOutage, now: after(milliseconds))
    }

    private func admits(_ breaker: inout CircuitBreaker, _ id: TransferID, _ milliseconds: Int) -> Bool {
        breaker.admit(id, now: after(milliseconds))
    }

    /// Opened at the moment 0; half a second to a second later one may probe.
    private func open(seed: UInt64 = 1) -> CircuitBreaker {
        var breaker = CircuitBreaker(Self.settings, seed: seed)
        for id in (1...3).map(TransferID.init) {
            #expect(admits(&breaker, id, 0))
            end(&breaker, id, true, 0)
        }
        return breaker
    }

    @Test func itOpensAfterSoManyFailuresInARow() {
        var breaker = open()
        #expect(!admits(&breaker, 9, 0))
        #expect(!admits(&breaker, 9, 499))
        let moment = breaker.retryAfterMilliseconds(now: after(0))
        #expect(breaker.retryAfterMilliseconds(now: after(400)) == moment - 400)
        #expect(!admits(&breaker, 9, moment - 1))
        #expect(admits(&breaker, 9, moment))
    }

    /// An outage begins for all at the same moment.
    @Test func clientsDoNotProbeInStep() {
        let moments = (0..<400).map { open(seed: $0).retryAfterMilliseconds(now: after(0)) }
        #expect(moments.allSatisfy { (500...1_000).contains($0) })
        #expect((moments.min() ?? 0) < 525)
        #expect((moments.max() ?? 0) > 975)
    }

    @Test func anyAnswerBetweenStartsTheCountAgain() {
        var breaker = CircuitBreaker(Self.settings, seed: 1)
        for (id, isOutage) in [(1, true), (2, true), (3, false), (4, true), (5, nil), (6, true)] as [(TransferID, Bool?)] {
            end(&breaker, id, isOutage, 0)
        }
        #expect(admits(&breaker, 9, 0))
        end(&breaker, 7, true, 0)
        #expect(!admits(&breaker, 9, 0))
    }

    // MARK: Subjects

    /// What a platform cannot digest is no reason to refuse the bookings of others.
    @Test func oneBookingThatFailsAgainAndAgainCountsOnce() {
        var breaker = CircuitBreaker(Self.settings, seed: 1)
        // Each repeat by the host is a call with an ID of its own, for the same key.
        for id in (1...100).map(TransferID.init) { breaker.attemptEnded(id, subject: 77, isOutage: true, now: after(0)) }
        #expect(admits(&breaker, 200, 0))
        for subject in [78, 77, 78] as [UInt64] {
            breaker.attemptEnded(200, subject: subject, isOutage: true, now: after(0))
        }
        #expect(admits(&breaker, 200, 0), "two bookings are not three")
        breaker.attemptEnded(200, subject: 79, isOutage: true, now: after(0))
        #expect(!admits(&breaker, 200, 0))
    }

    @Test func anAnswerToAnotherForgetsItToo() {
        var breaker = CircuitBreaker(Self.settings, seed: 1)
        for subject in [1, 2] as [UInt64] { breaker.attemptEnded(1, subject: subject, isOutage: true, now: after(0)) }
        breaker.attemptEnded(5, subject: 5, isOutage: false, now: after(0))
        for subject in [1, 2] as [UInt64] { breaker.attemptEnded(1, subject: subject, isOutage: true, now: after(0)) }
        #expect(admits(&breaker, 9, 0))
        breaker.attemptEnded(1, subject: 3, isOutage: true, now: after(0))
        #expect(!admits(&breaker, 9, 0))
    }

    // MARK: The probe

    @Test func oneProbesAndItsSuccessClosesIt() {
        var breaker = open()
        #expect(admits(&breaker, 7, 1_000))
        #expect(!admits(&breaker, 8, 1_000), "one at a time")
        #expect(!admits(&breaker, 8, 3_999))
        #expect(admits(&breaker, 7, 3_999), "the probe's own")
        #expect(breaker.retryAfterMilliseconds(now: after(3_999)) == 1)
        end(&breaker, 7, false, 3_999)
        #expect(admits(&breaker, 8, 3_999))
    }

    /// A patient booking that probes must not keep all others out while it waits for an answer that was lost.
    @Test func aProbeWithoutAnEndIsFollowedByAnother() {
        var breaker = open()
        #expect(admits(&breaker, 7, 1_000))
        #expect(admits(&breaker, 8, 4_000))
        #expect(!admits(&breaker, 9, 4_000))
        end(&breaker, 7, true, 4_100)  // the first one's silence says nothing new
        end(&breaker, 8, false, 4_200)
        #expect(admits(&breaker, 9, 4_200))
    }

    @Test func aProbeThatFailsOpensItAgain() {
        var breaker = open()
        #expect(admits(&breaker, 7, 1_000))
        end(&breaker, 2, true, 1_100)  // one from before says nothing new
        end(&breaker, 7, true, 1_200)
        #expect(!admits(&breaker, 8, 1_699))
        #expect(admits(&breaker, 8, 2_200))
    }

    @Test func aProbeThatIsGivenUpLeavesItToTheNext() {
        var breaker = open()
        #expect(admits(&breaker, 7, 1_000))
        end(&breaker, 7, nil, 1_500)
        #expect(admits(&breaker, 8, 1_500))
        #expect(!admits(&breaker, 9, 1_500))
    }

    /// One from before it opened, that comes late with good news.
    @Test func anAnswerClosesItWhateverItWas() {
        var breaker = open()
        end(&breaker, 2, false, 10)
        #expect(admits(&breaker, 9, 10))
    }

    @Test func zeroFailuresMeansNever() {
        var breaker = CircuitBreaker(.init(failures: 0, openMilliseconds: 1_000), seed: 1)
        for id in (1...1_000).map(TransferID.init) { end(&breaker, id, true, 0) }
        #expect(admits(&breaker, 1, 0))
    }
}
