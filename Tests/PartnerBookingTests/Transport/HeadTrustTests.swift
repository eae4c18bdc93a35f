import Testing

@testable import PartnerBooking

/// Tests the use of a connection after a HEAD whose reply announced a body.
@Suite struct HeadTrustTests {
    @Test func aBookingIsNeverTheTrial() {
        let trust = HeadTrust.unknown
        #expect(trust.use(isBooking: true) == .forbidden)
        #expect(trust.use(isBooking: false) == .trial)
    }

    @Test(arguments: [true, false])
    func theTrialDecides(_ isReply: Bool) {
        var trust = HeadTrust.unknown
        trust.tried(isReply: isReply)
        for isBooking in [true, false] { #expect(trust.use(isBooking: isBooking) == (isReply ? .free : .forbidden)) }
    }

    @Test func aBodyEndsTheTrust() {
        var trust = HeadTrust.trusted
        trust.tried(isReply: true)
        #expect(trust == .trusted)
        trust.tried(isReply: false)
        #expect(trust == .distrusted)
    }
}
