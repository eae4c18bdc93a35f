import Testing

@testable import PartnerBooking

/// What is known of a booking, and what follows from it. Times are milliseconds since `start`.
@Suite struct EvidenceTests {
    static func at(_ milliseconds: Int) -> MonotonicTime { EvidenceModel.start.adding(milliseconds: milliseconds) }

    /// An event of a booking.
    enum Event: Sendable {
        /// One sending and its end.
        case sent(Answer, _ begin: Int, _ end: Int)
        /// An attempt of several sendings: when the first and the last of them began, and when the answer came.
        case repeated(Answer, _ begin: Int, _ last: Int, _ end: Int, count: Int = 2)
        /// An earlier process may have sent it; the journal was opened then.
        case inherited(_ moment: Int)
        /// It may be made by somebody who cannot be asked.
        case doubted(_ moment: Int)
    }

    static func evidence(_ events: [Event], _ rules: BookingRules) -> Evidence {
        var evidence = Evidence()
        for event in events {
            switch event {
            case .sent(let answer, let begin, let end):
                evidence.add(Sendings(at: at(begin)), answer, endedAt: at(end), rules)
            case .repeated(let answer, let begin, let last, let end, let count):
                let sendings = Sendings(count: count, firstAt: at(begin), lastAt: at(last))
                evidence.add(sendings, answer, endedAt: at(end), rules)
            case .inherited(let moment): evidence = Evidence(inheritedAt: at(moment))
            case .doubted(let moment): evidence.fallIntoDoubt(at(moment))
            }
        }
        return evidence
    }

    /// One line of the table: the outcomes with `kept`, `first` and `none`, and what `first` says of the doubt.
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let events: [Event]
        let kept: PartnerBookingError.Outcome
        let first: PartnerBookingError.Outcome
        let none: PartnerBookingError.Outcome
        var settlesAt: Int?
        var since: Int?

        init(
            _ name: String, _ events: [Event], _ kept: PartnerBookingError.Outcome,
            first: PartnerBookingError.Outcome? = nil,
            none: PartnerBookingError.Outcome? = nil, settlesAt: Int? = nil, since: Int? = nil
        ) {
            self.name = name
            self.events = events
            self.kept = kept
            self.first = first ?? kept
            self.none = none ?? kept
            self.settlesAt = settlesAt
            self.since = since
        }

        var testDescription: String { name }
    }

    private func check(_ row: Row, shared: Bool) {
        let outcomes: [(BookingRules.Keys, PartnerBookingError.Outcome)] = [
            (.kept, row.kept), (.first, row.first), (.none, row.none),
        ]
        for (keys, outcome) in outcomes {
            let rules = BookingRules(keys: keys, areKeysShared: shared)
            let evidence = Self.evidence(row.events, rules)
            #expect(evidence.outcome == outcome, "\(row.name), \(keys)")
            #expect(evidence.isInDoubt == (outcome == .unknown), "\(row.name), \(keys)")
            #expect(evidence.settlesAt(rules) == (keys == .first ? row.settlesAt.map(Self.at) : nil), "\(row.name), \(keys)")
            if keys == .first { #expect(evidence.inDoubtSince == row.since.map(Self.at), "\(row.name)") }
        }
    }

    // MARK: Tables

    @Test(arguments: [
        Row("nothing was sent", [], .notSent),
        Row("a refusal of the booking", [.sent(.bookingRefused, 0, 100)], .rejected),
        Row("a refusal of the caller", [.sent(.callerRefused, 0, 100)], .rejected),
        Row("two refusals", [.sent(.callerRefused, 0, 100), .sent(.bookingRefused, 200, 300)], .rejected),
        Row("a declined booking", [.sent(.notConfirmed, 0, 100)], .rejected),
        Row("no answer", [.sent(.none, 5, 100)], .unknown, settlesAt: 31_100, since: 5),
        Row("in progress", [.sent(.inProgress, 5, 100)], .unknown, settlesAt: 31_100, since: 5),
        Row("another booking", [.sent(.otherBooking, 5, 100)], .unknown, settlesAt: 31_100, since: 5),
        Row("two without an answer", [.sent(.none, 5, 100), .sent(.none, 300, 350)], .unknown, settlesAt: 31_350, since: 5),
    ])
    func oneSendingMeansWhatItsAnswerSays(_ row: Row) { check(row, shared: false) }

    @Test(arguments: [
        Row(
            "504, then a refusal", [.sent(.none, 0, 200), .sent(.bookingRefused, 1_200, 1_250)], .unknown,
            settlesAt: 31_200, since: 0),
        Row(
            "504, then two refusals a second apart",
            [.sent(.none, 0, 200), .sent(.bookingRefused, 1_200, 1_250), .sent(.bookingRefused, 2_300, 2_400)], .unknown,
            settlesAt: 31_200, since: 0),
        Row(
            "a refusal, then no answer", [.sent(.bookingRefused, 0, 100), .sent(.none, 200, 300)], .unknown,
            settlesAt: 31_300, since: 200),
        Row(
            "sent a millisecond too early", [.sent(.none, 0, 200), .sent(.bookingRefused, 31_199, 31_250)], .unknown,
            settlesAt: 31_200, since: 0),
        Row(
            "sent too early, however late the answer", [.sent(.none, 0, 200), .sent(.bookingRefused, 31_199, 60_000)],
            .unknown, settlesAt: 31_200, since: 0),
        Row(
            "sent when the limit and a second were over", [.sent(.none, 0, 200), .sent(.bookingRefused, 31_200, 31_250)],
            .unknown, first: .rejected),
        Row(
            "it counts from the end of the last one",
            [.sent(.none, 0, 200), .sent(.none, 300, 5_000), .sent(.bookingRefused, 35_999, 36_100)], .unknown,
            settlesAt: 36_000, since: 0),
        Row(
            "then it ends both",
            [.sent(.none, 0, 200), .sent(.none, 300, 5_000), .sent(.bookingRefused, 36_000, 36_100)], .unknown,
            first: .rejected),
        Row(
            "a refusal of the caller says nothing of others", [.sent(.none, 0, 200), .sent(.callerRefused, 40_000, 40_100)],
            .unknown, settlesAt: 31_200, since: 0),
        Row(
            "a declined booking is about its own sending", [.sent(.none, 0, 200), .sent(.notConfirmed, 400, 500)], .unknown,
            settlesAt: 31_200, since: 0),
        Row(
            "a declined booking in time", [.sent(.none, 0, 200), .sent(.notConfirmed, 31_200, 31_300)], .unknown,
            first: .rejected),
        // It is the first one that is in progress.
        Row(
            "in progress does not make a doubt last longer", [.sent(.none, 0, 200), .sent(.inProgress, 1_200, 1_300)],
            .unknown, settlesAt: 31_200, since: 0),
        Row(
            "in progress, refused in time",
            [.sent(.none, 0, 200), .sent(.inProgress, 1_200, 1_300), .sent(.bookingRefused, 31_200, 31_300)], .unknown,
            first: .rejected),
        Row(
            "a doubt after the settlement is a new one",
            [.sent(.none, 0, 200), .sent(.bookingRefused, 31_200, 31_250), .sent(.none, 40_000, 40_100)], .unknown,
            settlesAt: 71_100, since: 40_000),
    ])
    func onlyAPlatformThatLooksAtKeysFirstCanEndADoubtByARefusal(_ row: Row) { check(row, shared: false) }

    @Test(arguments: [
        Row("repeated, then refused", [.repeated(.bookingRefused, 0, 40, 90)], .unknown, settlesAt: 31_040, since: 0),
        Row("repeated, then 401, 404, 429", [.repeated(.callerRefused, 0, 40, 90)], .unknown, settlesAt: 31_040, since: 0),
        Row("repeated, then an unknown 409", [.repeated(.conflict, 0, 40, 90)], .unknown, settlesAt: 31_040, since: 0),
        Row("repeated, then nothing", [.repeated(.none, 0, 40, 90)], .unknown, settlesAt: 31_090, since: 0),
        Row("repeated, then declined", [.repeated(.notConfirmed, 0, 40, 90)], .unknown, settlesAt: 31_040, since: 0),
        Row(
            "repeated after a minute: the first one was gone just then", [.repeated(.bookingRefused, 0, 60_000, 60_100)],
            .unknown, settlesAt: 91_000, since: 0),
        Row("repeated five times", [.repeated(.bookingRefused, 0, 40, 90, count: 6)], .unknown, settlesAt: 31_040, since: 0),
        Row(
            "repeated and refused, refused again in time",
            [.repeated(.bookingRefused, 0, 40, 90), .sent(.bookingRefused, 31_040, 31_100)], .unknown, first: .rejected),
        Row(
            "repeated and refused in time: the repetition's own first sending is open",
            [.sent(.none, 0, 100), .repeated(.bookingRefused, 31_090, 31_200, 31_250)], .unknown,
            settlesAt: 62_200, since: 0),
    ])
    func repetitionsOfLibcurlAreSendings(_ row: Row) { check(row, shared: false) }

    @Test(arguments: [
        Row("nothing sent since", [.inherited(50)], .unknown, settlesAt: 31_050, since: 50),
        Row("refused at once", [.inherited(50), .sent(.bookingRefused, 60, 100)], .unknown, settlesAt: 31_050, since: 50),
        Row(
            "refused too early", [.inherited(50), .sent(.bookingRefused, 31_049, 31_100)], .unknown, settlesAt: 31_050,
            since: 50),
        Row("refused in time", [.inherited(50), .sent(.bookingRefused, 31_050, 31_100)], .unknown, first: .rejected),
        Row(
            "the caller refused in time", [.inherited(50), .sent(.callerRefused, 31_050, 31_100)], .unknown,
            settlesAt: 31_050, since: 50),
        Row("declined", [.inherited(50), .sent(.notConfirmed, 60, 100)], .unknown, settlesAt: 31_050, since: 50),
    ])
    func afterARestartAnUnansweredSendingIsDatedAtTheOpening(_ row: Row) { check(row, shared: false) }

    @Test(arguments: [
        Row("one", [.sent(.conflict, 10, 100)], .unknown, none: .rejected, since: 10),
        Row("two, a second apart", [.sent(.conflict, 10, 100), .sent(.conflict, 1_100, 1_150)], .rejected),
        Row(
            "two, a millisecond too close", [.sent(.conflict, 10, 100), .sent(.conflict, 1_099, 1_150)], .unknown,
            none: .rejected, since: 10),
        Row(
            "a third, a second after the second",
            [.sent(.conflict, 10, 100), .sent(.conflict, 600, 700), .sent(.conflict, 1_700, 1_750)], .rejected),
        Row(
            "a third, a second after the first only",
            [.sent(.conflict, 10, 100), .sent(.conflict, 600, 700), .sent(.conflict, 1_200, 1_250)], .unknown,
            none: .rejected, since: 10),
        Row("then one about the slot", [.sent(.conflict, 10, 100), .sent(.bookingRefused, 1_100, 1_150)], .rejected),
        Row(
            "then one about the caller", [.sent(.conflict, 10, 100), .sent(.callerRefused, 1_100, 1_150)], .unknown,
            none: .rejected, since: 10),
        Row("then declined", [.sent(.conflict, 10, 100), .sent(.notConfirmed, 1_100, 1_150)], .rejected),
        Row(
            "after a doubt", [.sent(.none, 0, 90), .sent(.conflict, 100, 200), .sent(.conflict, 1_200, 1_250)], .unknown,
            settlesAt: 31_090, since: 0),
        Row(
            "a doubt between", [.sent(.conflict, 10, 100), .sent(.none, 200, 300), .sent(.conflict, 1_300, 1_350)],
            .unknown, settlesAt: 31_300, since: 200),
        Row(
            "the first does not end a doubt, when its time has come",
            [.sent(.none, 0, 90), .sent(.conflict, 31_090, 31_200)],
            .unknown, none: .unknown, settlesAt: 31_090, since: 0),
        Row(
            "the second does",
            [.sent(.none, 0, 90), .sent(.conflict, 31_090, 31_200), .sent(.conflict, 32_200, 32_250)], .unknown,
            first: .rejected),
    ])
    func anUnknownConflictCountsWhenItWasAskedAgainAfterASecond(_ row: Row) { check(row, shared: false) }

    @Test(arguments: [
        Row("nothing was sent", [], .notSent),
        Row("a refusal of the booking", [.sent(.bookingRefused, 7, 100)], .unknown, since: 7),
        Row("a refusal of the caller", [.sent(.callerRefused, 7, 100)], .unknown, since: 7),
        Row(
            "refused after a refusal of the caller", [.sent(.callerRefused, 7, 100), .sent(.bookingRefused, 200, 300)],
            .unknown, since: 7),
        Row("two unknown conflicts", [.sent(.conflict, 7, 100), .sent(.conflict, 1_100, 1_150)], .unknown, since: 7),
        // The other client may have sent a moment ago.
        Row(
            "refused again when our own time is over", [.sent(.none, 7, 100), .sent(.bookingRefused, 90_000, 90_100)],
            .unknown, since: 7),
        Row("declined", [.sent(.notConfirmed, 7, 100)], .unknown, since: 7),
        Row("inherited, refused", [.inherited(0), .sent(.bookingRefused, 500, 600)], .unknown, since: 0),
    ])
    func whereKeysAreSharedARefusalMayBeAboutAnothersBooking(_ row: Row) { check(row, shared: true) }

    @Test func whatCannotBeAskedForIsInDoubtSinceThatMoment() {
        check(
            Row(
                "refused, and perhaps resumed", [.sent(.bookingRefused, 0, 100), .doubted(400)], .unknown,
                settlesAt: 31_400, since: 400), shared: false)
    }

    /// The record is the only doubt, or there is another one.
    @Test(
        arguments: [
            ([.doubted(400)], .notSent), ([.sent(.bookingRefused, 0, 100), .doubted(400)], .rejected),
            ([.sent(.bookingRefused, 0, 100), .doubted(400), .doubted(500)], .rejected),
            ([.sent(.none, 0, 100), .doubted(400)], nil), ([.inherited(50), .doubted(400)], nil),
            ([.doubted(400), .sent(.none, 500, 600)], nil), ([.sent(.bookingRefused, 0, 100)], nil), ([], nil),
        ] as [([Event], PartnerBookingError.Outcome?)])
    func aRecordThatDoesNotStandLeavesTheOutcomeBeforeIt(
        _ events: [Event], _ outcome: PartnerBookingError.Outcome?
    ) {
        #expect(Self.evidence(events, BookingRules()).outcomeWithoutRecord == outcome)
    }

    /// The platform's own limit, as far as it is known.
    @Test(arguments: [0, 1, 5_000, 120_000])
    func theLimitOfThePlatformIsASetting(_ limit: Int) {
        let rules = BookingRules(keys: .first, platformLimitMilliseconds: limit)
        let lost = Event.sent(.none, 0, 200)
        #expect(Self.evidence([lost], rules).settlesAt(rules) == Self.at(1_200 + limit))
        let early = Self.evidence([lost, .sent(.bookingRefused, 1_199 + limit, 1_300 + limit)], rules)
        #expect(early.outcome == .unknown)
        let late = Self.evidence([lost, .sent(.bookingRefused, 1_200 + limit, 1_300 + limit)], rules)
        #expect(late.outcome == .rejected)
    }
}
