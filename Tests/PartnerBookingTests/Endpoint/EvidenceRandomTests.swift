import Testing

@testable import PartnerBooking

/// `Evidence` against the slow model, on random histories.
@Suite struct EvidenceRandomTests {
    private static let answers: [Answer] = [
        .notConfirmed, .bookingRefused, .bookingRefused, .bookingRefused, .conflict, .conflict, .conflict, .inProgress,
        .callerRefused, .otherBooking, .none, .none,
    ]
    /// Around the second of the conflicts, and around the limit of the platform, which is a second here.
    private static let pauses = [0, 1, 200, 999, 1_000, 1_001, 1_500, 1_999, 2_000, 2_001, 5_000]

    private struct History {
        var evidence: Evidence
        var model: EvidenceModel
        var now = EvidenceModel.start
        var text = ""

        init(_ rules: BookingRules, isInherited: Bool) {
            evidence = isInherited ? Evidence(inheritedAt: now) : Evidence()
            model = EvidenceModel(rules, inheritedAt: isInherited ? now : nil)
            text = "\(rules.keys)\(rules.areKeysShared ? ", shared" : "")\(isInherited ? ", inherited" : "")"
        }

        mutating func pass(_ random: inout SplitMix64) -> MonotonicTime {
            now = now.adding(milliseconds: EvidenceRandomTests.pauses.randomElement(using: &random) ?? 0)
            return now
        }

        mutating func attempt(_ random: inout SplitMix64) {
            let answer = EvidenceRandomTests.answers.randomElement(using: &random) ?? .none
            let first = pass(&random)
            let count = Int.random(in: 0..<8, using: &random) == 0 ? Int.random(in: 2...4, using: &random) : 1
            let last = count > 1 ? pass(&random) : first
            let end = pass(&random)
            let sendings = Sendings(count: count, firstAt: first, lastAt: last)
            evidence.add(sendings, answer, endedAt: end, model.rules)
            model.add(sendings, answer, endedAt: end)
            let times = [first, last, end].map { String($0.milliseconds(since: EvidenceModel.start)) }
            text += "; \(count)x \(answer) " + times.joined(separator: ",")
        }

        mutating func doubt(_ random: inout SplitMix64) {
            let moment = pass(&random)
            evidence.fallIntoDoubt(moment)
            model.fallIntoDoubt(moment, isRecord: true)
            text += "; doubt \(moment.milliseconds(since: EvidenceModel.start))"
        }
    }

    @Test(arguments: BookingRules.Keys.allCases, [false, true])
    func theOutcomeIsThatOfTheListOfAllSendings(_ keys: BookingRules.Keys, _ shared: Bool) {
        let rules = BookingRules(keys: keys, platformLimitMilliseconds: 1_000, areKeysShared: shared)
        var random = SplitMix64(state: 14)
        for _ in 0..<4_000 {
            var history = History(rules, isInherited: Int.random(in: 0..<4, using: &random) == 0)
            for _ in 0..<Int.random(in: 1...8, using: &random) {
                if Int.random(in: 0..<12, using: &random) == 0 { history.doubt(&random) } else { history.attempt(&random) }
                guard agrees(history) else { return }
            }
        }
    }

    /// Returns false after the first difference: those that follow from it say nothing new.
    private func agrees(_ history: History) -> Bool {
        let (evidence, model) = (history.evidence, history.model)
        let isRight = evidence.outcome == model.outcome && evidence.isInDoubt == model.isInDoubt
        #expect(isRight, "\(evidence.outcome) and not \(model.outcome): \(history.text)")
        let settles = evidence.settlesAt(model.rules)
        #expect(settles == model.settlesAt, "settles: \(history.text)")
        let without = evidence.outcomeWithoutRecord
        #expect(without == model.outcomeWithoutRecord, "without a record: \(history.text)")
        // Sendings are kept as one span, so the oldest may be one that is settled by now: never too young.
        let (since, oldest) = (evidence.inDoubtSince, model.inDoubtSince)
        let isOldEnough = (since == nil) == (oldest == nil) && (since ?? history.now) <= (oldest ?? history.now)
        #expect(isOldEnough, "since: \(history.text)")
        return isRight && settles == model.settlesAt && without == model.outcomeWithoutRecord && isOldEnough
    }

    /// A booking that was made ends every doubt, under all rules.
    @Test func aBookingThatWasMadeLeavesNoDoubt() {
        var random = SplitMix64(state: 15)
        for keys in BookingRules.Keys.allCases {
            for shared in [false, true] {
                let rules = BookingRules(keys: keys, areKeysShared: shared)
                for _ in 0..<200 {
                    var history = History(rules, isInherited: true)
                    for _ in 0..<5 { history.attempt(&random) }
                    history.evidence.add(Sendings(at: history.now), .made, endedAt: history.now, rules)
                    #expect(!history.evidence.isInDoubt && history.evidence.inDoubtSince == nil, "\(history.text)")
                    #expect(history.evidence.settlesAt(rules) == nil, "\(history.text)")
                }
            }
        }
    }
}
